//! A process that may read files and write its output, and nothing else: whatever it does beside kills it.

use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use libc::{c_long, sock_filter, sock_fprog};

/// What reaches the network, another process, another namespace, or changes a file. Starting a program is left out, for
/// this is how we are started; without a process of its own it would be the end of ours.
const FORBIDDEN: [c_long; 24] = [
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_sendmsg,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_ptrace,
    libc::SYS_kill,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_mkdirat,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_fchmodat,
    libc::SYS_fchownat,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_finit_module,
    libc::SYS_bpf,
    libc::SYS_io_uring_setup,
];

/// The calls of x86 that have a newer name elsewhere.
#[cfg(target_arch = "x86_64")]
const OLDER: [c_long; 8] = [
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_mkdir,
    libc::SYS_link,
    libc::SYS_symlink,
    libc::SYS_creat,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: [c_long; 0] = [];

const TO_WRITE: i32 = libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;

const fn step(code: u32, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    }
}

/// struct seccomp_data: the number of the call, and the low half of its third argument on a little-endian machine.
const NUMBER: u32 = 0;
const FLAGS: u32 = 16 + 2 * 8;

fn filter() -> Vec<sock_filter> {
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let is = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let has = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
    let end = libc::BPF_RET | libc::BPF_K;
    let kill = step(end, 0, 0, libc::SECCOMP_RET_KILL_PROCESS);
    let mut program = vec![step(load, 0, 0, NUMBER)];
    for call in FORBIDDEN.into_iter().chain(OLDER) {
        program.extend([step(is, 0, 1, call as u32), kill]);
    }
    program.extend([
        step(is, 0, 3, libc::SYS_openat as u32),
        step(load, 0, 0, FLAGS),
        step(has, 0, 1, TO_WRITE as u32),
        kill,
        step(end, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]);
    program
}

/// Runs a program with nothing in its environment, in the jail.
pub fn jailed(program: &str, arguments: &[&str]) -> Output {
    let filter = filter();
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    // SAFETY: between fork and exec only prctl is called, with memory that was made before.
    unsafe {
        command.pre_exec(move || {
            let program = sock_fprog {
                len: filter.len() as u16,
                filter: filter.as_ptr().cast_mut(),
            };
            let done = libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) == 0;
            match done {
                true => Ok(()),
                false => Err(std::io::Error::last_os_error()),
            }
        });
    }
    command.output().unwrap()
}
