# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reads libmigrate.h and prints what it declares, a line each:
#
#	function NAME TYPE NAME(TYPE NAME,TYPE NAME)    normalised, see normalise()
#	enumerator NAME VALUE                           "-" where none is written
#	member STRUCT NAME
#	macro NAME
#
# Theory: without comments and preprocessor lines the header is a list of
# declarations that end with ";", and braces stand only around members, enumerators
# and all of it (extern "C").

# One way to write a declaration, whatever its blanks and line breaks were.
function normalise(text) {
	gsub(/[ \t\n]+/, " ", text)
	gsub(/ *\* */, "*", text)
	gsub(/ *\( */, "(", text)
	gsub(/ *\) */, ")", text)
	gsub(/ *, */, ",", text)
	gsub(/^ +| +$/, "", text)
	return text
}

function print_function(text, name) {
	text = normalise(text)
	if (text ~ /^typedef / || !match(text, /mig_[a-z_]+\(/))
		return
	name = substr(text, RSTART, RLENGTH - 1)
	print "function", name, text
}

function print_enumerators(text, parts, n, i) {
	n = split(text, parts, ",")
	for (i = 1; i <= n; i++) {
		gsub(/[ \t\n]+/, " ", parts[i])
		gsub(/^ | $/, "", parts[i])
		if (parts[i] ~ / = /) {
			sub(/ = /, " ", parts[i])
			print "enumerator", parts[i]
		} else if (parts[i] != "")
			print "enumerator", parts[i], "-"
	}
}

# "uint64_t bits[64]", "const char *name", "bool (*progress)(void *data)"
function print_members(tag, text, parts, n, i, name) {
	n = split(text, parts, ";")
	for (i = 1; i <= n; i++) {
		name = normalise(parts[i])
		if (name == "")
			continue
		if (match(name, /\(\*[a-z_]+\)/))
			name = substr(name, RSTART + 2, RLENGTH - 3)
		else {
			sub(/\[.*/, "", name)
			sub(/.*[ *]/, "", name)
		}
		print "member", tag, name
	}
}

/^#define MIG_/ {
	sub(/\(.*/, "", $2)
	print "macro", $2
}

/^#/ { next }
{ all = all $0 "\n" }

END {
	while (match(all, /\/\*([^*]|\*+[^*\/])*\*+\//))
		all = substr(all, 1, RSTART - 1) " " substr(all, RSTART + RLENGTH)
	sub(/extern "C" \{/, "", all)
	while (match(all, /(enum|struct)[ \t\n]+mig_[a-z_]+[ \t\n]*\{[^}]*\}[ \t\n]*;/)) {
		body = substr(all, RSTART, RLENGTH)
		all = substr(all, 1, RSTART - 1) " " substr(all, RSTART + RLENGTH)
		match(body, /mig_[a-z_]+/)
		tag = substr(body, RSTART, RLENGTH)
		inside = body
		sub(/^[^{]*\{/, "", inside)
		sub(/\}[ \t\n]*;$/, "", inside)
		if (body ~ /^enum/)
			print_enumerators(inside)
		else
			print_members(tag, inside)
	}
	n = split(all, statements, ";")
	for (i = 1; i <= n; i++)
		print_function(statements[i])
}
