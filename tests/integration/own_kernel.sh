#!/bin/sh
# The first process of a Linux in user mode: everything of this machine's, read only, and control
# groups with all their controllers. Then the program that OPENCLAW_RUNS names, in a folder of them.
export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 HOME=/run
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 none /run
mount -t cgroup2 none /sys/fs/cgroup
ip link set lo up
echo "+memory +pids" >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/openclaw /run/place
cd "$OPENCLAW_AT" && "$OPENCLAW_PYTHON" -P -B "$OPENCLAW_RUNS" /sys/fs/cgroup/openclaw /run/place
echo o >/proc/sysrq-trigger
sleep 10
