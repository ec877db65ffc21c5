# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of migratectl for fish. Everything it offers beside fixed words comes from
# /proc and /sys, read by the shell itself.

function __migratectl_command -d 'Whether the command line has one of these commands'
    set -l words (commandline -opc)
    test (count $words) -gt 1; and contains -- $words[2] $argv
end

function __migratectl_first -d 'Whether the command is still to come'
    test (count (commandline -opc)) -eq 1
end

# What stands before the element of a list that is being written.
function __migratectl_head --argument-names separators
    set -l word (commandline -ct | string replace -r -- '^(--[a-z-]+=|-[tfo](?=.))' '')
    string match -r -- "^.*[$separators]" $word; or echo
end

function __migratectl_nodes --argument-names class -d 'The nodes that a file of sysfs lists'
    set -l file /sys/devices/system/node/$class
    test -r $file; and read -l list <$file; or return
    for part in (string split , $list)
        set -l ends (string split - $part)
        seq $ends[1] $ends[-1]
    end
end

function __migratectl_node_list --argument-names class
    set -l head (__migratectl_head ',!+-')
    printf '%s\n' $head(__migratectl_nodes $class)\tnode $head'all'\t'all allowed nodes'
end

function __migratectl_node_operands
    string match -q -- '-*' (commandline -ct); or __migratectl_node_list has_memory
end

function __migratectl_map
    set -l head (__migratectl_head ',:')
    printf '%s\n' $head(__migratectl_nodes online)\tnode
end

function __migratectl_kinds
    set -l head (__migratectl_head ',')
    printf '%s\n' $head{anon,heap,stack,file,shmem,hugetlb,thp}
end

function __migratectl_columns -d 'The columns of the table that the options ask for'
    set -l words (commandline -opc)
    set -l head (__migratectl_head ',+')
    set -l columns
    switch "$words[2]"
        case nodes
            set columns NODE CPUS TOTAL FREE ROOM ANON FILE SHMEM SLAB DIRTY WRITEBACK \
                THP HUGETLB HUGEFREE TIER READ-BW WRITE-BW READ-LAT WRITE-LAT
        case show-pid
            if contains -- --maps $words
                set columns PID START END SIZE PERM KIND RES NODES ANON DIRTY WRITEBACK \
                    SWAPCACHE MAPPERS PAGE OFFSET INODE DEVICE POLICY NAME
            else if contains -- --by-kind $words
                set columns PID COMMAND KIND TOTAL NODES
            else
                set columns PID PPID COMMAND TOTAL NODES SWAP RUNS LOCAL
            end
        case show-cgroup
            if contains -- --by-kind $words
                set columns CGROUP ACCOUNT KIND TOTAL NODES
            else
                set columns CGROUP PROCS HIDDEN TOTAL NODES SWAP ZSWAP RUNS LOCAL MEMS \
                    OWNMEMS
            end
        case show-node
            if contains -- --blocks $words
                set columns BLOCK NODE STATE ZONES ADDRESS SIZE FREE MOVABLE UNMOVABLE \
                    ANON MAPPED UNMAPPED SHMEM HUGETLB SLAB TABLES RESERVED KERNEL \
                    BALLOON POISONED ABSENT
            else if string match -qr -- '^--by(=|$)' $words
                set columns PID TOTAL NODES TYPE NAME
            else
                set columns KIND OF TOTAL NODES
            end
        case show-file
            set columns RES NODES SIZE DIRTY WRITEBACK LARGE PATH
        case compact
            set columns NODE ZONE FREE-BEFORE FREE HUGE-BEFORE HUGE GAINED FRAG-BEFORE \
                FRAG
        case retire
            set columns ADDRESS PFN PAGES NODE CONTENT PID COMMAND MAPS AT MAPPING \
                RESULT WHY
        case drain
            set columns RESULT PAGES SIZE FROM TO WHY
            contains -- --online $words
            and set columns BLOCK NODE ZONES SIZE USED STATE RESULT SECONDS PFN WHY
        case move-pid move-file move-cgroup
            set columns RESULT PAGES SIZE FROM TO WHY
    end
    printf '%s\n' $head$columns
end

function __migratectl_paths
    __fish_complete_path (commandline -ct | string replace -r -- '^--[a-z0-9-]+=' '')
end

# Processes that have a command line, so no kernel threads, with their names.
function __migratectl_pids
    for directory in (string match -r '^/proc/[0-9]+$' /proc/*)
        # It may have exited since it was listed.
        test -r $directory/cmdline -a -r $directory/comm; or continue
        set -l byte
        set -l name
        read -z -n 1 byte <$directory/cmdline
        read name <$directory/comm
        test -n "$byte"; and printf '%s\t%s\n' (string replace /proc/ '' $directory) "$name"
    end
end

# Cgroups by their path below the root, a level at a time, and systemd's units by name.
function __migratectl_cgroups
    set -l word (commandline -ct)
    if string match -q '/*' -- $word
        __fish_complete_directories $word
        return
    end
    for root in /sys/fs/cgroup /sys/fs/cgroup/memory /sys/fs/cgroup/unified
        test -e $root/cgroup.procs; and break
    end
    for path in $root/$word*/
        printf '%s\tcgroup\n' (string replace -- $root/ '' $path)
    end
    set -l units $root/**.service/ $root/**.slice/ $root/**.scope/
    test (count $units) -eq 0
    or string replace -r '.*/([^/]+)/$' '$1\tunit' -- $units | sort -u
end

# The last of several cgroups with commas between them: those at the top.
function __migratectl_cgroup_list
    set -l head (__migratectl_head ',')
    for root in /sys/fs/cgroup /sys/fs/cgroup/memory /sys/fs/cgroup/unified
        test -e $root/cgroup.procs; and break
    end
    for path in $root/*/
        printf '%s\tcgroup\n' $head(string replace -- $root/ '' $path | string trim -r -c /)
    end
end

complete -c migratectl -f

complete -c migratectl -n __migratectl_first -a nodes -d 'Show the nodes: CPUs, memory, distances, tiers'
complete -c migratectl -n __migratectl_first -a show-pid -d 'Show on which nodes the memory of processes lies'
complete -c migratectl -n __migratectl_first -a move-pid -d 'Move the memory of processes to other nodes'
complete -c migratectl -n __migratectl_first -a show-file -d 'Show on which nodes files are cached'
complete -c migratectl -n __migratectl_first -a move-file -d 'Move the cached pages of files to other nodes'
complete -c migratectl -n __migratectl_first -a show-cgroup -d 'Show on which nodes the memory of cgroups lies'
complete -c migratectl -n __migratectl_first -a move-cgroup -d 'Move the memory of the processes of cgroups to other nodes'
complete -c migratectl -n __migratectl_first -a drain -d 'Move all memory off nodes, and take it offline'
complete -c migratectl -n __migratectl_first -a compact -d 'Bring the free memory of nodes together, for huge pages'
complete -c migratectl -n __migratectl_first -a retire -d 'Take failing page frames of memory out of use'
complete -c migratectl -n __migratectl_first -a show-node -d 'Show what fills nodes, and who'
complete -c migratectl -n __migratectl_first -l help -d 'Print help'
complete -c migratectl -n __migratectl_first -l version -d 'Print the version'
complete -c migratectl -n __migratectl_first -l list-options -d 'List the options of all commands'

complete -c migratectl -n '__migratectl_command show-pid move-pid' -a '(__migratectl_pids)'
complete -c migratectl -n '__migratectl_command show-file move-file' -F
complete -c migratectl -n '__migratectl_command show-cgroup move-cgroup' -a '(__migratectl_cgroups)'
complete -c migratectl -n '__migratectl_command compact drain show-node' -a '(__migratectl_node_operands)'

set -l all '__migratectl_command nodes show-pid move-pid show-file move-file show-cgroup move-cgroup drain compact retire show-node'
complete -c migratectl -n $all -l json -d 'Print JSON, with numbers that are not rounded'
complete -c migratectl -n $all -l bytes -d 'Print sizes in bytes'
complete -c migratectl -n $all -l noheadings -d 'Print no line of headings'
complete -c migratectl -n $all -l raw -d 'Print columns with one blank between them'
complete -c migratectl -n $all -s o -l output -x -a '(__migratectl_columns)' -d 'Print these columns'
complete -c migratectl -n $all -l output-all -d 'Print all columns'
complete -c migratectl -n $all -l help -d 'Print help'

set -l look '__migratectl_command nodes show-pid show-cgroup compact show-node'
complete -c migratectl -n $look -l sysroot -x -a '(__fish_complete_directories)' -d 'Look at the machine whose /proc and /sys are there'

set -l nodes '__migratectl_command nodes'
complete -c migratectl -n $nodes -l distances -d 'Print how far the nodes are from each other'

set -l show '__migratectl_command show-pid'
complete -c migratectl -n $show -l by-kind -d 'A row for each kind of memory'
complete -c migratectl -n $show -l maps -d 'A row for each mapping'
complete -c migratectl -n $show -l picture -d 'Draw the larger mappings'
complete -c migratectl -n $show -l tree -d 'With all descendants'
complete -c migratectl -n $show -l total -d 'Add the sum over the processes'
complete -c migratectl -n $show -l all-nodes -d 'A column for each node with memory'

set -l files '__migratectl_command show-file move-file'
complete -c migratectl -n $files -s r -l recursive -d 'Take the files below directories too'
complete -c migratectl -n $files -l cross -d 'Also where other file systems are mounted'
complete -c migratectl -n $files -l mount -x -a '(__migratectl_paths)' -d 'All files of the file system that this is on'
complete -c migratectl -n $files -l of-pid -x -a '(__migratectl_pids)' -d 'What this process has open or mapped'
complete -c migratectl -n $files -l files0-from -x -a '(__migratectl_paths)' -d 'Paths that end in NUL, read from this file'

set -l show_file '__migratectl_command show-file'
complete -c migratectl -n $show_file -l min -x -d 'Pass over files of which less is cached'
complete -c migratectl -n $show_file -l sort -x -a 'path res size dirty' -d 'By path, or the largest first'
complete -c migratectl -n $show_file -l total -d 'Add the sum over all files'
complete -c migratectl -n $show_file -s s -l summarize -d 'Print nothing but that sum'
complete -c migratectl -n $show_file -l all-nodes -d 'A column for each node with memory'

set -l show_cgroup '__migratectl_command show-cgroup'
complete -c migratectl -n $show_cgroup -l by-kind -d 'A row for each kind of memory, charged and mapped'
complete -c migratectl -n $show_cgroup -l tree -d 'With all cgroups below'
complete -c migratectl -n $show_cgroup -l all-nodes -d 'A column for each node with memory'

set -l show_node '__migratectl_command show-node'
complete -c migratectl -n $show_node -l blocks -d 'A row for each memory block'
complete -c migratectl -n $show_node -l by -x -a 'process cgroup file mount' -d 'Who holds the most'
complete -c migratectl -n $show_node -l top -x -d 'With --by: as many rows'
complete -c migratectl -n $show_node -l search -x -a '(__migratectl_paths)' -d 'With --by=file and mount: look into the files below this path too'
complete -c migratectl -n $show_node -l all-nodes -d 'A column for each of the nodes'

set -l move '__migratectl_command move-pid move-file move-cgroup'
complete -c migratectl -n $move -s t -l to -x -a '(__migratectl_node_list has_memory)' -d 'Where pages go'
complete -c migratectl -n $move -s f -l from -x -a '(__migratectl_node_list online)' -d 'Move only pages that are on these nodes'
complete -c migratectl -n $move -l map -x -a '(__migratectl_map)' -d 'Move the pages of each node FROM to the node TO'
complete -c migratectl -n $move -l place -x -a 'relative nearest spread' -d 'Which of several targets a page goes to'
complete -c migratectl -n $move -l weights -x -d 'How many pages each target gets in turn'

set -l how '__migratectl_command move-pid move-file move-cgroup drain'
complete -c migratectl -n $how -s n -l dry-run -d 'Say what would move; move nothing'
complete -c migratectl -n $how -l force -d 'Go on where the checks refuse'
complete -c migratectl -n $how -l threads -x -d 'How many threads move'
complete -c migratectl -n $how -l passes -x -d 'How often busy pages are tried'
complete -c migratectl -n $how -l rate -x -d 'Move no more than this per second'
complete -c migratectl -n $how -l max-stall -x -d 'How long one system call may take'
complete -c migratectl -n $how -l timeout -x -d 'Stop after this time'
complete -c migratectl -n $how -l settle -x -d 'Look again after this time'
complete -c migratectl -n $how -l require -x -d 'The share in place that counts as success'
complete -c migratectl -n $how -l progress -d 'Show progress, also where there is no terminal'

set -l members '__migratectl_command move-pid move-cgroup'
complete -c migratectl -n $members -l shared -x -a 'anon all none' -d 'Pages that other processes map too'
complete -c migratectl -n $members -l only -x -a '(__migratectl_kinds)' -d 'Move only memory of these kinds'
complete -c migratectl -n $members -l range -x -d 'Move only pages at these addresses'
complete -c migratectl -n $members -l min-size -x -d 'Pass over mappings with less resident memory'
complete -c migratectl -n $members -l fallback -x -a swap -d 'For pages that cannot be moved'

set -l move_pid '__migratectl_command move-pid'
complete -c migratectl -n $move_pid -l tree -d 'With all descendants'

set -l move_cgroup '__migratectl_command move-cgroup'
complete -c migratectl -n $move_cgroup -l bind -d 'Also set cpuset.mems to the nodes of --to'
complete -c migratectl -n $move_cgroup -l cpus -d 'With --bind: also set cpuset.cpus'
complete -c migratectl -n $move_cgroup -l cache -d 'Move page cache and shared memory too that nobody has mapped'
complete -c migratectl -n $move_cgroup -l search -x -a '(__migratectl_paths)' -d 'With --cache: look for it in the files below this path'
complete -c migratectl -n $move_cgroup -l freeze -d 'Stop the processes while their memory moves'

set -l move_file '__migratectl_command move-file'
complete -c migratectl -n $move_file -l shared -x -a 'all anon none' -d 'Pages that processes have mapped'
complete -c migratectl -n $move_file -l writeback -d 'Move dirty pages too where they are written out for it'
complete -c migratectl -n $move_file -l fallback -x -a reread -d 'For clean pages that cannot be moved'

set -l compact '__migratectl_command compact'
complete -c migratectl -n $compact -l until -x -d 'Go on until so much is free in blocks of a huge page'
complete -c migratectl -n $compact -l timeout -x -d 'Begin no further round after this time'
complete -c migratectl -n $compact -s n -l dry-run -d 'Say what there is; compact nothing'

set -l retire '__migratectl_command retire'
complete -c migratectl -n $retire -s y -l yes -d 'Do not ask'
complete -c migratectl -n $retire -s n -l dry-run -d 'Say what lies there; retire nothing'

set -l drain '__migratectl_command drain'
complete -c migratectl -n $drain -s t -l to -x -a '(__migratectl_node_list has_memory)' -d 'Where pages go'
complete -c migratectl -n $drain -l free -x -d 'Stop as soon as so much is free on each node'
complete -c migratectl -n $drain -l fence -x -a '(__migratectl_cgroup_list)' -d 'Take the nodes out of cpuset.mems of these cgroups'
complete -c migratectl -n $drain -l search -x -a '(__migratectl_paths)' -d 'Look for cache that nobody has mapped in the files below this path'
complete -c migratectl -n $drain -l writeback -d 'Move dirty pages too where they are written out for it'
complete -c migratectl -n $drain -l reclaim -d 'Have the kernel drop clean cache that would not move'
complete -c migratectl -n $drain -l rounds -x -d 'How often to look for what came meanwhile'
complete -c migratectl -n $drain -l offline -d 'Then take the memory blocks of the nodes offline'
complete -c migratectl -n $drain -l offline-timeout -x -d 'How long to try each block'
complete -c migratectl -n $drain -l online -d 'Bring the memory blocks of the nodes back'
complete -c migratectl -n $drain -l movable -d 'With --online: for pages that move only'
complete -c migratectl -n $drain -l kernel -d 'With --online: for the kernel too'
