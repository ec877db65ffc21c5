/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file_survey.h"

#include <errno.h>
#include <stdlib.h>

#include "demand.h"
#include "file_estimate.h"
#include "files.h"
#include "handles.h"
#include "residency.h"
#include "target.h"
#include "threads.h"
#include "window_states.h"

/* What one thread looks with. */
struct surveyor {
	struct mig_page_scan scan;
	struct mig_window_scratch scratch;
};

struct survey {
	struct mig_plan *plan;
	struct mig_residency *residency; /**< that is counted in */
	bool demands;                    /**< demand is counted too, and files noted */
	struct surveyor *surveyors;
	unsigned int nr_surveyors;
	pthread_mutex_t lock; /**< of the plan */
};

/* A file, and who looks at it. */
struct view {
	struct survey *survey;
	struct surveyor *surveyor;
	uint64_t nr_pages; /**< that are cached */
	bool moves;        /**< some of them have to move */
	bool may_write;    /**< its file system may have to write what is dirty */
	struct mig_window_states states;
};

static int add_units(struct view *view, const struct mig_page_scan *scan,
		     const struct mig_span *span)
{
	const struct survey *survey = view->survey;
	uint64_t before = mig_pairs_get_total(&survey->plan->demand);
	struct mig_verdicts verdicts = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < scan->nr_units; i++) {
		const struct mig_units *units = &scan->units[i];

		view->nr_pages += mig_units_pages(units);
		if (units->node == MIG_NO_NODE)
			continue;
		r = mig_residency_add_pages(survey->residency, units->node, span->kind,
					    mig_units_pages(units));
		if (!r && survey->demands)
			r = mig_demand_add_units(survey->plan, scan, span, units,
						 &verdicts);
	}
	view->moves |= mig_pairs_get_total(&survey->plan->demand) > before;
	return r;
}

static int survey_window(void *data, struct mig_window *window)
{
	struct view *view = data;
	struct survey *survey = view->survey;
	struct mig_page_scan *scan = &view->surveyor->scan;
	struct mig_span span = mig_window_get_span(window);
	int r = 0;

	for (uint64_t at = span.start; !r && at < span.end;) {
		r = mig_page_scan_next(scan, &span, at, span.end, &at);
		pthread_mutex_lock(&survey->lock);
		if (!r)
			r = add_units(view, scan, &span);
		pthread_mutex_unlock(&survey->lock);
	}
	if (!r && view->may_write && survey->plan->frames)
		mig_window_count_states(window, &survey->plan->self.pagemap,
					&view->surveyor->scratch, &view->states);
	return r;
}

/* How much of it is dirty and may be written: all of it where nobody tells. */
static uint64_t count_dirty(const struct view *view, const struct mig_file *file)
{
	struct mig_cache_counts counts;

	if (!view->may_write || !view->moves)
		return 0;
	if (!mig_file_count(file, 0, file->size_bytes, &counts))
		return counts.dirty_pages;
	return view->survey->plan->frames ? view->states.dirty_pages : view->nr_pages;
}

/* What the run has to know about a file that has cached pages. */
static int note_file(const struct view *view, const struct mig_file *file)
{
	struct survey *survey = view->survey;
	uint64_t nr_dirty = count_dirty(view, file);
	int r = 0;

	pthread_mutex_lock(&survey->lock);
	if (view->nr_pages)
		r = mig_found_add(&survey->plan->found, file);
	survey->plan->nr_dirty_pages += nr_dirty;
	pthread_mutex_unlock(&survey->lock);
	return r;
}

static int survey_file(void *data, unsigned int thread, struct mig_file *file)
{
	struct survey *survey = data;
	struct view view = {
		.survey = survey,
		.surveyor = &survey->surveyors[thread],
		.may_write = survey->demands && !survey->plan->options.may_write &&
			     mig_backing_may_write(file->backing),
	};
	int r = mig_file_each_window(file, &survey->plan->self, &view.surveyor->scratch,
				     survey_window, &view);

	if (r == -ENOMEM)
		return r;
	/* Counted again after a run: what can be wrong with it was said before. */
	if (!survey->demands)
		return 0;
	if (!r)
		return note_file(&view, file);
	mig_files_report(mig_target_get_files(survey->plan->target),
			 mig_file_get_label(file), r);
	return 0;
}

static int init_survey(struct survey *survey)
{
	struct mig_plan *plan = survey->plan;
	unsigned int nr = mig_threads_count();
	int r = 0;

	pthread_mutex_init(&survey->lock, NULL);
	survey->surveyors = calloc(nr, sizeof(*survey->surveyors));
	if (!survey->surveyors)
		return -ENOMEM;
	for (; !r && survey->nr_surveyors < nr; survey->nr_surveyors++) {
		struct surveyor *surveyor = &survey->surveyors[survey->nr_surveyors];

		r = mig_page_scan_init(&surveyor->scan, plan->frames);
		if (!r)
			r = mig_window_scratch_init(&surveyor->scratch);
		if (!r)
			mig_page_scan_set_process(&surveyor->scan, plan->self.process,
						  &plan->self.pagemap);
	}
	return r;
}

static void end_survey(struct survey *survey)
{
	for (unsigned int i = 0; i < survey->nr_surveyors; i++) {
		mig_page_scan_done(&survey->surveyors[i].scan);
		mig_window_scratch_done(&survey->surveyors[i].scratch);
	}
	free(survey->surveyors);
	pthread_mutex_destroy(&survey->lock);
}

static int next_found(void *data, struct mig_file_name *ret_name)
{
	struct mig_found_file file;
	int r = mig_found_next(data, &file);

	if (r > 0)
		*ret_name = file.name;
	return r;
}

/* Files that were noted before: what is wrong with them now was not so then. */
static int look_at_noted(struct survey *survey, struct mig_found *noted)
{
	const struct mig_file_names names = {
		.next = next_found,
		.data = noted,
		.quiet = true,
	};
	int r = mig_found_rewind(noted);

	if (r < 0)
		return r;
	return mig_files_each(mig_target_get_files(survey->plan->target), &names,
			      survey->nr_surveyors, survey_file, survey);
}

/* All files, or those of @noted if there are any. */
static int look(struct survey *survey, struct mig_found *noted)
{
	int r = init_survey(survey);

	if (!r && noted->stream)
		r = look_at_noted(survey, noted);
	else if (!r)
		r = mig_files_walk(mig_target_get_files(survey->plan->target),
				   survey->nr_surveyors, survey_file, survey);
	end_survey(survey);
	return r;
}

static bool may_estimate(const struct mig_plan *plan)
{
	if (plan->cache.is_open)
		return true;
	/* With a choice of targets room is given away source by source. */
	return plan->options.may_estimate && !mig_placement_has_choice(plan->placement);
}

/* If it is not enough, the files come to @ret_noted. */
static int estimate(struct mig_plan *plan, struct mig_found *ret_noted)
{
	int r = mig_file_estimate(plan, &plan->is_estimated);

	/* That some of them are in files is no demand of its own. */
	if (plan->cache.is_open) {
		plan->is_estimated = true;
		plan->estimated_pages = 0;
	}
	if (r < 0 || plan->is_estimated)
		return r;
	*ret_noted = plan->found;
	plan->found = (struct mig_found){ 0 };
	return mig_found_init(&plan->found);
}

int mig_file_survey_demand(struct mig_plan *plan)
{
	CLEANUP(mig_found_done) struct mig_found noted = { 0 };
	struct survey survey = {
		.plan = plan,
		.residency = plan->residency,
		.demands = true,
	};
	int r;

	if (!mig_target_get_files(plan->target))
		return 0;
	r = mig_self_open(plan->context, &plan->self);
	if (!r)
		r = mig_found_init(&plan->found);
	if (!r && may_estimate(plan))
		r = estimate(plan, &noted);
	if (!r && !plan->is_estimated)
		r = look(&survey, &noted);
	return r < 0 ? r : mig_found_rewind(&plan->found);
}

int mig_file_survey_residency(struct mig_plan *plan, struct mig_residency *residency)
{
	struct survey survey = { .plan = plan, .residency = residency };

	return mig_target_get_files(plan->target) ? look(&survey, &plan->found) : 0;
}
