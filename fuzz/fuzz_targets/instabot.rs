//! Arbitrary webhooks for the parser of the vendor `instabot`.

#![cfg_attr(fuzzing, no_main)]

botyard_fuzz::target!("instabot");
