# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reads a manual page in mdoc and prints what it is about, a line each:
#
#	name NAME                 under NAME
#	function NAME DECLARATION under SYNOPSIS, normalised as header.awk does it
#	option LETTER NAME VALUE  an item that begins with .Fl; "-" for none
#	default NAME VALUE        "VALUE by default" in the text of such an item
#	column NAME KEY DEFAULT   a row of a table under COLUMNS or THE REPORT; KEY "-" for
#	                          none, DEFAULT "*" for a column that is shown by default
#	key NAME                  under JSON: what stands behind .Va
#	reason NAME               an item under REASONS
#	status NUMBER             an item under EXIT STATUS

function normalise(text) {
	gsub(/[ \t\n]+/, " ", text)
	gsub(/ *\* */, "*", text)
	gsub(/ *\( */, "(", text)
	gsub(/ *\) */, ")", text)
	gsub(/ *, */, ",", text)
	gsub(/^ +| +$/, "", text)
	return text
}

# The arguments of a macro, of which some stand in quotes, with commas between them.
function arguments(text, list, word) {
	list = ""
	while (match(text, /"[^"]*"|[^ "]+/)) {
		word = substr(text, RSTART, RLENGTH)
		gsub(/"/, "", word)
		list = list (list == "" ? "" : ",") word
		text = substr(text, RSTART + RLENGTH)
	}
	return list
}

function print_function(name, list) {
	print "function", name, normalise(type " " name "(" list ")")
}

# ".It Fl o , Fl -output Ar LIST", ".It Fl -range Ar START Ns - Ns Ar END"
function print_option(letter, name, value, i, in_value) {
	letter = "-"
	value = ""
	for (i = 2; i <= NF; i++) {
		if ($i == "Fl")
			in_value = 0
		else if ($i == "Ar")
			in_value = 1
		else if (in_value && $i != "Ns")
			value = value $i
		else if ($(i - 1) == "Fl" && $i ~ /^-/)
			name = substr($i, 2)
		else if ($(i - 1) == "Fl")
			letter = $i
	}
	print "option", letter, name, (value == "" ? "-" : value)
	return name
}

# ".It NODE * Ta node Ta number"
function print_column(parts, shown, n) {
	sub(/^\.It /, "")
	n = split($0, parts, " Ta ")
	shown = parts[1] ~ / \*$/ ? "*" : "-"
	sub(/ \*$/, "", parts[1])
	if (parts[1] ~ /^[A-Z-]+$/)
		print "column", parts[1], (n > 2 ? parts[2] : "-"), shown
}

function print_keys(i, on) {
	for (i = 1; i <= NF; i++) {
		if ($i ~ /^\.?Va$/)
			on = 1
		else if ($i ~ /^\.?[A-Z][a-z]$/)
			on = 0
		else if (on && $i ~ /^[a-z_]+$/)
			print "key", $i
	}
}

/^\.Sh / { section = substr($0, 5) }

section == "NAME" && $1 == ".Nm" { print "name", $2 }

section == "SYNOPSIS" && $1 == ".Ft" { type = substr($0, 5) }
section == "SYNOPSIS" && $1 == ".Fn" {
	name = $2
	sub(/^\.Fn [^ ]+ /, "")
	print_function(name, arguments($0))
}
section == "SYNOPSIS" && $1 == ".Fo" { name = $2; list = "" }
section == "SYNOPSIS" && $1 == ".Fa" {
	sub(/^\.Fa /, "")
	list = list (list == "" ? "" : ",") arguments($0)
}
section == "SYNOPSIS" && $1 == ".Fc" { print_function(name, list) }

$1 == ".It" { item = $2 == "Fl" ? print_option() : "" }
item != "" && match($0, /[0-9][^ ]* by default/) {
	print "default", item, substr($0, RSTART, RLENGTH - length(" by default"))
}
/^\.It .* Ta / && (section == "COLUMNS" || section == "THE REPORT") { print_column() }
section == "JSON" && /Va/ { print_keys() }
section == "REASONS" && $1 == ".It" { print "reason", $2 }
section == "EXIT STATUS" && $1 == ".It" { print "status", $2 }
