//! Limits of tenants as they are by default on this host.

use botyard_kernel::limits::{Change, Limit, Values};

use super::error::Wrong;
use super::section::{Section, nearest};
use super::{Backlog, Runtime, Server};

/// Whether a limit may stand in the section: one of a tenant that has no key of its own
/// elsewhere.
fn is_settable(limit: Limit) -> bool {
    let is_of_backlog =
        matches!(limit, Limit::BacklogRequests | Limit::BacklogEvents | Limit::BacklogBytes);
    limit.row().change == Change::Tenant && !is_of_backlog
}

/// Reads the limits by their names.
pub(super) fn read(section: Section<'_>) -> Result<Values, Wrong> {
    let mut limits = Values::new();
    let settable = || Limit::ALL.iter().filter(|limit| is_settable(**limit));
    for (name, entry) in section.entries() {
        let known = settable().find(|limit| limit.row().name == name);
        let Some(limit) = known else {
            let names = settable().map(|limit| limit.row().name);
            let problem = match nearest(&name, names) {
                Some(near) => format!("is no limit of a tenant; did you mean `{near}`?"),
                None => "is no limit of a tenant that can be set here".to_owned(),
            };
            return Err(entry.wrong(problem));
        };
        limits.insert(*limit, entry.number(limit.least()..=1 << 50, "units of the limit")?);
    }
    Ok(limits)
}

/// All limits that the settings say, wherever they stand there.
pub(super) fn all(own: &Values, server: &Server, backlog: &Backlog, runtime: &Runtime) -> Values {
    let mut limits = own.clone();
    let mut set = |limit: Limit, value: u128| {
        debug_assert!(limit.row().change != Change::Fixed, "{limit} is no setting");
        limits.insert(limit, u64::try_from(value).unwrap_or(u64::MAX));
    };
    let bounds = &backlog.tenant;
    set(Limit::RequestBytes, server.body_bytes_max as u128);
    set(Limit::BacklogRequests, bounds.requests as u128);
    set(Limit::BacklogEvents, bounds.events as u128);
    set(Limit::BacklogBytes, bounds.bytes as u128);
    set(Limit::HostCompiledAtOnce, runtime.compile.at_once as u128);
    set(Limit::TurnLogBytes, runtime.native.limits.log_bytes as u128);
    let native = &runtime.native.limits;
    set(Limit::NativeCpuMs, native.cpu.as_millis());
    set(Limit::NativeWallMs, native.wall.as_millis());
    set(Limit::NativeWallWithCallsMs, native.wall_with_calls.as_millis());
    set(Limit::NativeMemoryBytes, native.memory_bytes as u128);
    set(Limit::NativeTableElements, native.table_elements as u128);
    set(Limit::NativeStackBytes, native.stack_bytes as u128);
    set(Limit::NativeComponentBytes, native.component_bytes as u128);
    let interpreted = &runtime.interpreted.limits;
    set(Limit::InterpretedCpuMs, interpreted.cpu.as_millis());
    set(Limit::InterpretedWallMs, interpreted.wall.as_millis());
    set(Limit::InterpretedWallWithCallsMs, interpreted.wall_with_calls.as_millis());
    set(Limit::InterpretedMemoryBytes, interpreted.memory_bytes as u128);
    set(Limit::InterpretedTableElements, interpreted.table_elements as u128);
    set(Limit::InterpretedStackBytes, interpreted.stack_bytes as u128);
    set(Limit::InterpretedComponentBytes, interpreted.component_bytes as u128);
    limits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn what_the_operator_sets_is_a_setting_and_its_default_that_of_the_table() {
        let config = Config::load(None, std::iter::empty()).unwrap();
        for limit in Limit::ALL {
            let row = limit.row();
            match config.limits.get(limit) {
                Some(value) => assert_eq!(Some(*value), row.default, "{limit}"),
                None => assert_ne!(row.change, Change::Host, "{limit} is no setting"),
            }
        }
    }
}
