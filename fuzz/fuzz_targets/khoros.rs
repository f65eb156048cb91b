#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| botyard_fuzz::receive("khoros", input));
