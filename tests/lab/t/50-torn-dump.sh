#!/bin/bash
# An IPVS dump under concurrent writers loses entries and says nothing. With somebody else adding and removing services
# all the time, no plan may ask to add what is there. LAB_PLANS says how many plans are made.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"
plans=${LAB_PLANS:-300}

modprobe ip_vs
minimal_cluster
# One service over a range of ports: a thousand virtual services.
jq '.services[0] += {port: 10001, lastPort: 11000} | del(.realServers[1])' "$examples/minimal.json" >$LAB/thousand.json
give dir1 $LAB/thousand.json
check_run 'a thousand services are applied' lvs dir1 apply --yes
check 'they are there' "$(in_ dir1 ipvsadm -Sn | grep -c '^-A')" 1000

# The other writer: services of its own, spread over the kernel's hash table, coming and going.
for i in $(seq 200); do echo "-A -t 10.9.$i.9:$((i + 20000)) -s rr"; done >$LAB/add
sed 's/^-A/-D/; s/ -s rr//' $LAB/add >$LAB/remove
(while :; do in_ dir1 ipvsadm -R <$LAB/add; in_ dir1 ipvsadm -R <$LAB/remove; done) >/dev/null 2>&1 & writer=$!

# One dump shows whether the writer disturbs at all: without that the test would prove nothing.
torn=$(in_ dir1 bash -c 'n=0; for i in $(seq 40); do [ "$(ipvsadm -Sn | grep -c "192.0.2.10.*-s")" = 1000 ] || n=$((n + 1)); done; echo $n')
check_has "ipvsadm sees torn dumps ($torn of 40)" "$torn" '^[1-9]'
wrong=$(in_ dir1 bash -c 'n=0; for i in $(seq "$2"); do "$1" plan --detailed-exitcode >/dev/null 2>&1 || n=$((n + 1)); done; echo $n' - "$LVS" "$plans")
check "no false change in $plans plans" "$wrong" 0
kill $writer
check_exit 'and none when it is quiet' 0 lvs dir1 plan --detailed-exitcode
fresh
