//! The integration suites, in one binary: it links once.

mod peers;
mod tidy;
