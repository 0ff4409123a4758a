// Measures a process from outside, with as little of its own as possible: its memory counts towards the child's peak.
//
//   bench-measure run NETNS IN OUT COMMAND...    runs COMMAND in the namespace, its input and output from and to files
//   bench-measure reload NETNS PID VIP:PORT RIP:PORT WEIGHT
//                                                sends SIGHUP to PID, waits until the destination has this weight and
//                                                until PID and its children are quiet
//
// Prints `cpu_ms wall_ms peak_kb user_ms exit_code`, for a reload 0 as user_ms. Under a clock that counts instructions a millisecond is a million of them.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/ip_vs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what) { perror(what); exit(1); }

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static double of(struct timeval t) { return t.tv_sec * 1e3 + t.tv_usec / 1e3; }

static void rest(int ms) {
  struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
  nanosleep(&t, NULL);
}

// Into the namespace, with the /sys that belongs to it.
static void enter(const char *name) {
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET)) die(path);
  if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL)) die("unshare");
  if (mount("sysfs", "/sys", "sysfs", 0, NULL)) die("/sys");
  close(fd);
}

static int run(const char *from, const char *out, char **command) {
  int in = open(from, O_RDONLY), to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0644), status;
  struct rusage used;
  if (in < 0) die(from);
  if (to < 0) die(out);
  double began = now_ms();
  pid_t child = vfork();
  if (child == 0) {
    dup2(in, 0);
    dup2(to, 1);
    // The same layout in every run: pages come into memory in groups, and where those begin is random otherwise.
    personality(ADDR_NO_RANDOMIZE);
    execvp(command[0], command);
    _exit(127);
  }
  if (wait4(child, &status, 0, &used) < 0) die("wait4");
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  double wall = now_ms() - began, user = of(used.ru_utime);
  printf("%.3f %.3f %ld %.3f %d\n", user + of(used.ru_stime), wall, used.ru_maxrss, user, code);
  return 0;
}

// The first number after `word` at the start of a line of /proc/PID/NAME; without a word, the first number.
static long long number(const char *pid, const char *name, const char *word) {
  char path[64], line[256];
  long long value = 0;
  snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
  FILE *file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file))
    if (!strncmp(line, word, strlen(word))) {
      value = atoll(line + strlen(word));
      break;
    }
  if (file) fclose(file);
  return value;
}

// Of PID and its children: nanoseconds on the processor, and the sum of their peaks in KiB.
static void family(const char *parent, double *cpu_ms, long *peak_kb) {
  *cpu_ms = 0, *peak_kb = 0;
  struct dirent *entry;
  DIR *proc = opendir("/proc");
  while (proc && (entry = readdir(proc))) {
    const char *pid = entry->d_name;
    if (*pid < '0' || *pid > '9') continue;
    if (strcmp(pid, parent) && number(pid, "status", "PPid:") != atoi(parent)) continue;
    *cpu_ms += number(pid, "schedstat", "") / 1e6;
    *peak_kb += number(pid, "status", "VmHWM:");
  }
  if (proc) closedir(proc);
}

static struct sockaddr_in address(char *text) {
  struct sockaddr_in it = {.sin_family = AF_INET};
  char *colon = strchr(text, ':');
  if (!colon) die(text);
  *colon = 0;
  it.sin_port = htons(atoi(colon + 1));
  if (inet_pton(AF_INET, text, &it.sin_addr) != 1) die(text);
  return it;
}

static int has_weight(int fd, struct sockaddr_in vip, struct sockaddr_in rip, int weight) {
  static struct { struct ip_vs_get_dests head; struct ip_vs_dest_entry entries[1024]; } got;
  socklen_t length = sizeof got;
  memset(&got.head, 0, sizeof got.head);
  got.head.protocol = IPPROTO_TCP, got.head.addr = vip.sin_addr.s_addr, got.head.port = vip.sin_port;
  got.head.num_dests = 1024;
  if (getsockopt(fd, IPPROTO_IP, IP_VS_SO_GET_DESTS, &got, &length)) return 0;
  for (unsigned i = 0; i < (length - sizeof got.head) / sizeof *got.entries; i++)
    if (got.entries[i].addr == rip.sin_addr.s_addr && got.entries[i].port == rip.sin_port)
      return got.entries[i].weight == weight;
  return 0;
}

// The table has changed before the process is done with comparing: both are part of a reload.
static int reload(const char *pid, char *vip_text, char *rip_text, int weight) {
  struct sockaddr_in vip = address(vip_text), rip = address(rip_text);
  int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW), code = 0;
  double before, cpu = 0, last = -1, began, changed;
  long peak;
  if (fd < 0) die("socket");
  family(pid, &before, &peak);
  began = now_ms();
  if (kill(atoi(pid), SIGHUP)) die("kill");
  while (!has_weight(fd, vip, rip, weight) && !code) {
    rest(2);
    if (now_ms() - began > 60000) code = 124;
  }
  changed = now_ms() - began;
  while (cpu - last > 0.5) {
    last = cpu;
    rest(500);
    family(pid, &cpu, &peak);
  }
  printf("%.3f %.3f %ld 0 %d\n", cpu - before, changed, peak, code);
  return 0;
}

int main(int count, char **words) {
  if (count > 5 && !strcmp(words[1], "run")) {
    enter(words[2]);
    return run(words[3], words[4], words + 5);
  }
  if (count == 7 && !strcmp(words[1], "reload")) {
    enter(words[2]);
    return reload(words[3], words[4], words[5], atoi(words[6]));
  }
  fputs("bench-measure: run NETNS IN OUT COMMAND... | reload NETNS PID VIP:PORT RIP:PORT WEIGHT\n", stderr);
  return 2;
}
