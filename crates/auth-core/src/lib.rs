//! The Cognito operations of Auth Rocket: one module per function, named after its route, and one
//! module for each thing that all of them share.
//!
//! A route's module holds its type, a [`route::Route`], with its request and its response. It knows neither HTTP nor
//! Lambda: those are [`http`] and [`trigger`]. `docs/architecture.md` has the layers; a module imports from those
//! below it only.

pub mod access_token;
pub mod challenge;
pub mod clients;
pub mod config;
mod connector;
mod deadline;
pub mod email;
pub mod error;
pub mod exceptions;
pub mod http;
pub mod limits;
pub mod message;
pub mod request;
pub mod roles;
pub mod route;
pub mod sms;
pub mod telemetry;
pub mod tokens;
pub mod trigger;
pub mod trigger_error;
pub mod username;

pub mod account;
pub mod account_delete;
pub mod account_password;
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

/// Every route, for what treats all of them alike: tests and the fuzzer.
pub const ROUTES: [http::NewRoute; 12] = [
    http::any::<sign_up::SignUp>,
    http::any::<sign_up_confirm::SignUpConfirm>,
    http::any::<sign_up_resend_code::SignUpResendCode>,
    http::any::<sign_in::SignIn>,
    http::any::<token::Token>,
    http::any::<token_refresh::TokenRefresh>,
    http::any::<token_revoke::TokenRevoke>,
    http::any::<password_forgot::PasswordForgot>,
    http::any::<password_change::PasswordChange>,
    http::any::<account::Account>,
    http::any::<account_password::AccountPassword>,
    http::any::<account_delete::AccountDelete>,
];

#[cfg(test)]
mod exchanges;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod never_printed;
#[cfg(test)]
mod testing;
