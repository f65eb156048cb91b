//! Which calls the kernel still answers: a list of what is allowed, because a
//! list of what is not would be incomplete with the next kernel. Whatever else
//! is tried fails with EPERM.
//!
//! A compilation has one thread, so not even threads are on the list.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads,
};

/// What a program needs to compute, to get memory and to end. Nothing here
/// reaches beyond the process.
const FREE: [i64; 25] = [
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getcpu,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
];
/// Descriptors of input, output and error output.
const INPUT: u64 = 0;
const OUTPUT: u64 = 1;
const ERRORS: u64 = 2;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Leaves what a compilation needs and what it takes to close the jail.
pub(super) fn narrow() -> anyhow::Result<String> {
    let mut rules = compiling()?;
    // This process only: anybody else's limits stay out of reach.
    rules.insert(libc::SYS_prlimit64, vec![rule(&[equal(0, 0)?])?]);
    let no_new_privileges = u64::try_from(libc::PR_SET_NO_NEW_PRIVS)?;
    rules.insert(libc::SYS_prctl, vec![rule(&[equal(0, no_new_privileges)?])?]);
    rules.insert(libc::SYS_seccomp, Vec::new());
    apply(rules)?;
    Ok(format!("seccomp allows {} calls", FREE.len() + bound()?.len()))
}

/// Leaves only what a compilation needs.
pub(super) fn close() -> anyhow::Result<String> {
    apply(compiling()?)?;
    Ok("closed".to_owned())
}

fn compiling() -> anyhow::Result<Rules> {
    let mut rules: Rules = FREE.iter().map(|&call| (call, Vec::new())).collect();
    rules.extend(bound()?);
    Ok(rules)
}

/// Calls that are allowed with some arguments only.
fn bound() -> anyhow::Result<Rules> {
    let own = u64::from(std::process::id());
    // No memory becomes a program: what is compiled here runs elsewhere.
    let executable = u64::try_from(libc::PROT_EXEC)?;
    let data =
        SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(executable), 0)?;
    let written = || -> anyhow::Result<_> {
        Ok(vec![rule(&[equal(0, OUTPUT)?])?, rule(&[equal(0, ERRORS)?])?])
    };
    Ok(Rules::from([
        (libc::SYS_read, vec![rule(&[equal(0, INPUT)?])?]),
        (libc::SYS_readv, vec![rule(&[equal(0, INPUT)?])?]),
        (libc::SYS_write, written()?),
        (libc::SYS_writev, written()?),
        (libc::SYS_mmap, vec![rule(std::slice::from_ref(&data))?]),
        (libc::SYS_mprotect, vec![rule(std::slice::from_ref(&data))?]),
        // `abort` signals the process that calls it.
        (libc::SYS_tgkill, vec![rule(&[equal(0, own)?])?]),
    ]))
}

fn rule(conditions: &[SeccompCondition]) -> anyhow::Result<SeccompRule> {
    Ok(SeccompRule::new(conditions.to_vec())?)
}

fn equal(argument: u8, value: u64) -> anyhow::Result<SeccompCondition> {
    Ok(SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)?)
}

fn apply(rules: Rules) -> anyhow::Result<()> {
    let target = TargetArch::try_from(std::env::consts::ARCH)?;
    let refuse = SeccompAction::Errno(u32::try_from(libc::EPERM)?);
    let filter = SeccompFilter::new(rules, refuse, SeccompAction::Allow, target)?;
    apply_filter_all_threads(&BpfProgram::try_from(filter)?)?;
    Ok(())
}
