//! Arbitrary webhooks for the parser of the vendor `lexer`.

#![cfg_attr(fuzzing, no_main)]

botyard_fuzz::target!("lexer");
