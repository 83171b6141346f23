//! `POST /auth/token/revoke`.

use e2e::Stack;
use serde_json::json;

#[test]
fn sign_out_ends_every_session_of_only_this_user() {
    let stack = Stack::standard();
    let (person, bystander) = (stack.confirmed_user(), stack.confirmed_user());
    let (phone, laptop) = (stack.tokens_of(&person), stack.tokens_of(&person));
    let others = stack.tokens_of(&bystander);
    let revoke = || stack.post("/token/revoke", json!({ "accessToken": phone.access }));
    revoke().assert_ok();
    revoke().assert_error(401, "NotAuthorizedException");
    for tokens in [&phone, &laptop] {
        let answer = stack.refresh(&tokens.refresh);
        answer.assert_error(401, "NotAuthorizedException");
    }
    // The user can sign in again.
    for tokens in [others, stack.tokens_of(&person)] {
        stack.refresh(&tokens.refresh).assert_ok();
    }
}
