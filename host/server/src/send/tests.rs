//! Calls to servers of this machine.
