# SPDX-License-Identifier: GPL-2.0-or-later
# Asks the completion for fish: see completions.

source $argv[1]

# What is offered at the end of a line, without the descriptions.
function ask
    complete -C $argv[1] | string replace -r '\t.*' ''
end

# Whether an option is defined as one that needs a value.
function takes_value
    set -l name (string replace -r -- '^--' '-l ' $argv[1])
    string match -qr -- '^-.$' $argv[1]; and set name (string replace -- - '-s ' $argv[1])
    complete migratectl | string match -qr -- "^complete --exclusive .* $name( |\$)"
end

for word in (ask 'migratectl ') (ask 'migratectl -')
    echo command $word
end
for command in (ask 'migratectl ')
    for option in (ask "migratectl $command -")
        set -l value -
        takes_value $option; and set value +
        echo option $command $option $value
    end
    for view in '' --by-kind --maps --blocks --by=file --online
        contains -- $command$view $command show-pid--by-kind show-pid--maps show-cgroup--by-kind \
            show-node--blocks show-node--by=file drain--online; or continue
        for column in (ask "migratectl $command $view --output ")
            echo column $command $column
        end
    end
end
for option in 'move-pid --place' 'move-pid --shared' 'move-pid --fallback' 'move-pid --only' \
    'move-file --place' 'move-file --shared' 'move-file --fallback' 'show-file --sort' \
    'move-cgroup --place' 'move-cgroup --shared' 'move-cgroup --fallback' \
    'move-cgroup --only' 'show-node --by'
    for word in (ask "migratectl $option ")
        echo word $option $word
    end
end

# Lists go on behind what is there already, and processes and files are offered.
test (ask 'migratectl move-pid --only anon,st') = anon,stack
or echo 'no list of kinds' >&2
test (ask 'migratectl nodes -o +READ-B') = +READ-BW
or echo 'no list of columns' >&2
contains $fish_pid (ask 'migratectl move-pid --to 0 ')
or echo 'this process is not offered' >&2
contains $fish_pid (ask 'migratectl show-file --of-pid ')
or echo 'of-pid offers no process' >&2
contains /proc/ (ask 'migratectl move-file --to 0 /pro')
or echo 'no files' >&2
contains /proc/ (ask 'migratectl show-file --mount /pro')
or echo 'no mounts' >&2
string match -q '/sys/f*' (ask 'migratectl move-cgroup --to 0 /sys/f')
or echo 'no cgroups' >&2
string match -qr '^[0-9]' (ask 'migratectl nodes ')
and echo 'nodes takes no process' >&2
contains /proc/ (ask 'migratectl nodes --sysroot /pro')
or echo 'no directories' >&2
exit 0
