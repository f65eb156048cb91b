//! Arbitrary webhooks for the parser of the vendor `userlike`.

#![cfg_attr(fuzzing, no_main)]

botyard_fuzz::target!("userlike");
