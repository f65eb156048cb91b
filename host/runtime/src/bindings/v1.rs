//! Version 1 of the contract: `wit/v1`.

mod action;
mod event;
mod http;

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/v1",
        world: "bot",
        imports: { "botyard:bot/kv": async | trappable,
            "botyard:bot/http": async | trappable,
            default: trappable },
        exports: { default: async },
    });
}

pub(crate) use generated::botyard::bot::{
    action as wit_action, config, event as wit_event, http as wit_http, kv, log,
    session as wit_session, types,
};
pub(crate) use generated::exports::botyard::bot::handler::Failure;
pub(crate) use generated::{Bot, BotPre};

/// Turns a value of the kernel into the bot's and back. A trait of our own,
/// because `From` cannot reach through lists and options.
pub(crate) trait Convert<T> {
    /// Converts.
    fn convert(self) -> T;
}

impl<A: Convert<B>, B> Convert<Vec<B>> for Vec<A> {
    fn convert(self) -> Vec<B> {
        self.into_iter().map(Convert::convert).collect()
    }
}

impl<A: Convert<B>, B> Convert<Option<B>> for Option<A> {
    fn convert(self) -> Option<B> {
        self.map(Convert::convert)
    }
}

/// What is the same on both sides.
macro_rules! same {
    ($($type:ty),*) => { $(
        impl Convert<$type> for $type {
            fn convert(self) -> $type {
                self
            }
        }
    )* };
}
same!(String, bool, u16, u32, u64, f64);

/// A record with the same fields on both sides. A field that is missing here
/// does not compile.
macro_rules! record {
    ($from:ident::$name:ident => $to:ident::$other:ident { $($field:ident),* }) => {
        impl Convert<$to::$other> for $from::$name {
            fn convert(self) -> $to::$other {
                let $from::$name { $($field),* } = self;
                $to::$other { $($field: $field.convert()),* }
            }
        }
    };
}

/// An enum whose cases have at most one payload.
macro_rules! cases {
    ($from:ident::$name:ident => $to:ident::$other:ident {
        $($case:ident),* $(; $($payload:ident),*)?
    }) => {
        impl Convert<$to::$other> for $from::$name {
            fn convert(self) -> $to::$other {
                match self {
                    $($from::$name::$case => $to::$other::$case,)*
                    $($($from::$name::$payload(value) => $to::$other::$payload(value.convert()),)*)?
                }
            }
        }
    };
}

pub(crate) use {cases, record};
