//! Arbitrary webhooks for the parser of the vendor `messenger`.

#![cfg_attr(fuzzing, no_main)]

botyard_fuzz::target!("messenger");
