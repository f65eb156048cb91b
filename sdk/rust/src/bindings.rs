//! What `wit-bindgen` makes of `wit/v1`.

wit_bindgen::generate!({
    path: "../../wit/v1",
    world: "bot",
    additional_derives: [PartialEq],
    generate_unused_types: true,
    pub_export_macro: true,
    export_macro_name: "export_handler",
    default_bindings_module: "botyard_sdk::bindings",
    runtime_path: "::botyard_sdk::rt",
});
