//! Chance, drawn from the turn's seed: a replay draws the same.

use botyard_kernel::session::Seed;
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

use crate::turn::Turn;

/// What a bot may draw in one call, in bytes.
const DRAW_BYTES: u64 = 64 << 10;

/// The random sources of a turn, each with its own stream of the same seed.
#[derive(Debug)]
pub(crate) struct TurnRandom {
    secure: ChaCha20Rng,
    insecure: ChaCha20Rng,
    hash_seed: (u64, u64),
}

impl TurnRandom {
    /// Seeds all sources.
    pub(crate) fn new(seed: Seed) -> Self {
        let stream = |number| {
            let mut bytes = [0; 32];
            for (chunk, word) in bytes.chunks_exact_mut(8).zip(seed.0) {
                chunk.copy_from_slice(&word.to_le_bytes());
            }
            let mut source = ChaCha20Rng::from_seed(bytes);
            source.set_stream(number);
            source
        };
        let mut hash = stream(2);
        let hash_seed = (hash.next_u64(), hash.next_u64());
        Self { secure: stream(0), insecure: stream(1), hash_seed }
    }
}

/// Puts the turn's random sources into a linker.
pub(super) fn add_to_linker(linker: &mut Linker<Turn>) -> wasmtime::Result<()> {
    random::add_to_linker::<Turn, HasSelf<TurnRandom>>(linker, |turn| &mut turn.random)?;
    insecure::add_to_linker::<Turn, HasSelf<TurnRandom>>(linker, |turn| &mut turn.random)?;
    insecure_seed::add_to_linker::<Turn, HasSelf<TurnRandom>>(linker, |turn| &mut turn.random)
}

impl random::Host for TurnRandom {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        draw(&mut self.secure, len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.secure.next_u64())
    }
}

impl insecure::Host for TurnRandom {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        draw(&mut self.insecure, len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.insecure.next_u64())
    }
}

impl insecure_seed::Host for TurnRandom {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok(self.hash_seed)
    }
}

fn draw(source: &mut ChaCha20Rng, len: u64) -> wasmtime::Result<Vec<u8>> {
    if len > DRAW_BYTES {
        wasmtime::bail!(
            "the bot asked for {len} random bytes at once; at most {DRAW_BYTES} are given"
        );
    }
    let mut bytes = vec![0; len as usize];
    source.fill_bytes(&mut bytes);
    Ok(bytes)
}
