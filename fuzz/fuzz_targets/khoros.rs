//! Arbitrary webhooks for the parser of the vendor `khoros`.

#![cfg_attr(fuzzing, no_main)]

botyard_fuzz::target!("khoros");
