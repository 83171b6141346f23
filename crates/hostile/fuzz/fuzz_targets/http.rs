//! Any bytes, as a body and as API Gateway's event, to every route in both modes.

#![no_main]

use hostile::Api;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static API: Api = Api::default();
}

fuzz_target!(|input: &[u8]| API.with(|api| api.take(input)));
