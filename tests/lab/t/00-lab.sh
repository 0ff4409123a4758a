#!/bin/bash
# The lab itself: a director made by hand does all that the program will be asked to do. When this fails,
# look at the lab first.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"

director_by_hand() {
  in_ dir1 sysctl -qw net.ipv4.ip_forward=1 net.ipv4.vs.conntrack=1
  ip -n dir1 -batch - <<'B'
link set eth0 up
link set eth1 up
addr add 192.168.155.12/22 dev eth0
addr add 172.16.0.1/16 dev eth1
route add default via 192.168.153.1
addr add 192.168.155.50/32 dev eth0 label eth0:50
B
  in_ dir1 ipvsadm -R <<'R'
-A -t 192.168.155.50:80 -s wlc
-a -t 192.168.155.50:80 -r 172.16.0.21:80 -m -w 3
-a -t 192.168.155.50:80 -r 172.16.0.22:80 -m -w 1
-A -t 192.168.155.50:22 -s wlc
-a -t 192.168.155.50:22 -r 172.16.0.21:22 -m -w 1
-a -t 192.168.155.50:22 -r 172.16.0.22:22 -m -w 1
R
  modprobe -a nf_conntrack_ftp nf_nat_ftp
  in_ dir1 nft -f - <<'N'
table inet byhand {
  ct helper ftp-tcp { type "ftp" protocol tcp; l3proto ip; }
  chain pre { type filter hook prerouting priority -150; ip saddr 172.16.0.0/16 tcp dport 21 ct helper set "ftp-tcp"; }
  chain forwarding { type filter hook forward priority 0; policy drop;
    meta l4proto { tcp, udp } th dport 137-139 drop
    ct state established,related accept; ip saddr 172.16.0.0/16 accept; }
  chain post { type nat hook postrouting priority 100; oifname "eth0" ip saddr 172.16.0.0/16 masquerade; }
}
N
}

modprobe ip_vs
howto_cluster
bare=$(machine_state dir1)
check_has 'the director starts bare' "$bare" '^eth0.*<BROADCAST,MULTICAST> '
check_not 'without addresses' "$bare" 'inet 172'
check 'its host name is its own' "$(in_ dir1 hostname)" dir1
director_by_hand
check 'http is balanced 30:10' "$(hits 192.168.155.50 40)" 'rs1=30 rs2=10'
check 'the service on port 22 is balanced 1:1' "$(hits 192.168.155.50 4 22)" 'rs1=2 rs2=2'
http client 8080
check 'inside reaches outside through the masquerade' "$(hits 192.168.153.1 1 8080 rs1)" 'client=1'
background client python3 -IS "$lab_tests/ftp_server.py"; server=$background
until_ 10 in_ client bash -c 'exec 3<>/dev/tcp/127.0.0.1/21'
check 'FTP in both modes through the masquerade' "$(in_ rs1 python3 -I "$lab_tests/ftp_get.py" 192.168.153.1)" 'active: payload of file
passive: payload of file'
kill $server
in_ dir1 sh -c 'echo changed >/etc/hosts; echo x >/kickstart/f'
check 'changed files of a machine are found' "$(changed_files dir1)" '/etc/hosts
/kickstart/f'
check_not 'and are its own' "$(cat /etc/hosts)" changed
fresh
check 'machines go away whole' "$(ip netns list; ls -d $LAB/*/etc.upper 2>/dev/null)" ''
