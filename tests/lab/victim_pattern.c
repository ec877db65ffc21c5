// SPDX-License-Identifier: GPL-2.0-or-later
/* Pseudo-random content: every word of every page has its own value, so that a
 * page that ends up in another's place is noticed too. */
#include "victim_memory.h"

#include <stdlib.h>
#include <string.h>

#define WORDS (VICTIM_PAGE / sizeof(uint64_t))
#define LAST_WORD (WORDS - 1)

/* splitmix64, a generator with a state that can be computed for any position. */
static uint64_t word_at(uint64_t seed, size_t page, size_t word)
{
	uint64_t z = seed + (page * WORDS + word + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void victim_pattern_fill(void *to, uint64_t seed, size_t page)
{
	uint64_t *words = to;

	for (size_t i = 0; i < WORDS; i++)
		words[i] = word_at(seed, page, i);
}

/* The page of the pattern that belongs to a page of the memory. */
static size_t pattern_page(const struct victim_memory *memory, size_t page)
{
	return memory->kind->distinct ? page % memory->kind->distinct : page;
}

static uint64_t expected_word(const struct victim_memory *memory, size_t page,
			      size_t word)
{
	uint64_t value;

	if (memory->kind->is_empty || (memory->has_holes && page % 2))
		return 0;
	value = word_at(memory->options->seed, pattern_page(memory, page), word);
	if (word == LAST_WORD && memory->generations)
		value += memory->generations[page];
	return value;
}

/* Returns the offset in the page, or VICTIM_PAGE if it is as it should be. */
static size_t compare_page(const struct victim_memory *memory, size_t page)
{
	const uint64_t *words = (const uint64_t *)(memory->start + page * VICTIM_PAGE);

	for (size_t i = 0; i < WORDS; i++) {
		if (words[i] != expected_word(memory, page, i))
			return i * sizeof(uint64_t);
	}
	return VICTIM_PAGE;
}

static size_t pages_per_step(const struct victim_memory *memory)
{
	return memory->kind->stride ? memory->kind->stride / VICTIM_PAGE : 1;
}

int victim_memory_check(struct victim_memory *memory, size_t *ret_offset)
{
	size_t found = SIZE_MAX, offset;
	int err = 0;

	if (memory->kind->open && (err = memory->kind->open(memory)) < 0)
		return err;
	for (size_t page = 0; page < memory->size / VICTIM_PAGE && found == SIZE_MAX;
	     page += pages_per_step(memory)) {
		offset = compare_page(memory, page);
		if (offset < VICTIM_PAGE)
			found = page * VICTIM_PAGE + offset;
	}
	if (memory->kind->close)
		err = memory->kind->close(memory);
	if (!err)
		*ret_offset = found;
	return err;
}

int victim_memory_write(struct victim_memory *memory)
{
	int err = memory->kind->open ? memory->kind->open(memory) : 0;

	if (err)
		return err;
	for (size_t page = 0; page < memory->size / VICTIM_PAGE;
	     page += pages_per_step(memory)) {
		uint64_t *words = (uint64_t *)(memory->start + page * VICTIM_PAGE);

		for (size_t i = 0; i < WORDS; i++)
			words[i] = expected_word(memory, page, i);
	}
	return memory->kind->close ? memory->kind->close(memory) : 0;
}

bool victim_memory_bump(struct victim_memory *memory, size_t page)
{
	volatile uint64_t *last =
		(uint64_t *)(memory->start + page * VICTIM_PAGE) + LAST_WORD;

	if (*last != expected_word(memory, page, LAST_WORD))
		return false;
	memory->generations[page]++;
	*last = expected_word(memory, page, LAST_WORD);
	return true;
}
