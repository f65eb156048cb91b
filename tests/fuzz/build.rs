//! `fuzzing` is what cargo-fuzz sets, and nobody else.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
}
