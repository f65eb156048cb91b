//! The integration suites, in one binary: it links once.

mod tidy;
