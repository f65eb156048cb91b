//! Arbitrary webhooks for the parser of the vendor `myalice`.

#![cfg_attr(fuzzing, no_main)]

botyard_fuzz::target!("myalice");
