//! Sends any bytes, as a body and as an event of API Gateway, to every route in both modes.

#![no_main]

use hostile::Api;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static API: Api = Api::default();
}

fuzz_target!(|input: &[u8]| API.with(|api| api.check_input(input)));
