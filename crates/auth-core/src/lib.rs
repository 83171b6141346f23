//! The Cognito operations of Auth Rocket: one module per function, named after its route, and one
//! module for each thing that all of them share.
//!
//! An operation's module holds its `Request` (with its parsing), its `Response` and one `async fn`
//! from the one to the other. It knows neither HTTP nor Lambda: those are [`http`] and [`trigger`].

pub mod challenge;
pub mod clients;
pub mod config;
mod connector;
mod deadline;
pub mod error;
pub mod http;
pub mod limits;
pub mod message;
pub mod request;
pub mod roles;
pub mod telemetry;
pub mod tokens;
pub mod trigger;
pub mod username;

pub mod create_auth_challenge;
pub mod custom_message;
pub mod define_auth_challenge;
pub mod password_change;
pub mod password_forgot;
pub mod post_confirmation;
pub mod pre_sign_up;
pub mod sign_in;
pub mod sign_up;
pub mod sign_up_confirm;
pub mod sign_up_resend_code;
pub mod token;
pub mod token_refresh;
pub mod token_revoke;
pub mod verify_auth_challenge_response;

#[cfg(test)]
mod cognito_failures;
#[cfg(test)]
mod never_printed;
#[cfg(test)]
mod testing;
