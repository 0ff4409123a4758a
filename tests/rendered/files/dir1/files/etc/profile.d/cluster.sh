# each uptime: a command on every real server in turn
each() {
  for machine in rs1 rs2 rs3 rs4; do
    printf '%s\t' "$machine"; ssh "$machine" "$@"
  done
}
