"""Checks a deployed stack for what only an AWS account can show.

    python local/smoke.py STACK [--phone +…] [--email …] [--slow] [--outputs FILE]

`make smoke` runs it. It makes users of its own and deletes them whatever happens. Each function below with `@check` is
a check, and its docstring is the check's row in the table. A text that it returns is the row's second line. Checks run
in the order in which they stand here.
"""

import argparse
import base64
import json
import re
import secrets
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import urllib3
import yaml
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

import users

GRACE_SECONDS = 60
IDLE_MINUTES = 12
# SES accepts mail to its simulator, and delivers it nowhere.
SIMULATOR = "success+{}@simulator.amazonses.com"
CHECKS = []


class Skipped(Exception):
    """Why a check can't be made on this stack."""


class Failed(Exception):
    """What a check expected, and what it saw."""


@dataclass
class Person:
    """A user of these checks."""

    username: str
    role: str | None = None
    password: str = ""
    id: str | None = None
    tokens: dict | None = None

    @property
    def contact(self):
        return "phone_number" if self.username.startswith("+") else "email"


@dataclass
class Answer:
    """An answer of the API."""

    status: int
    headers: urllib3.HTTPHeaderDict
    text: str

    @property
    def body(self):
        try:
            return json.loads(self.text)
        except ValueError:
            return {}

    @property
    def error(self):
        return self.body.get("error", {}).get("type")

    def expect(self, status, error=None):
        """The answer's body, if status and error type are these."""
        expect((self.status, self.error) == (status, error), f"{status} {error or ''}".strip(), self)
        return self.body

    def __str__(self):
        # Never a token.
        return f"{self.status} {sorted(self.body) if self.status == 200 else self.text[:300]}"


def expect(holds, what, seen):
    if not holds:
        raise Failed(f"expected {what}, got {seen}")


def check(*, if_it_fails):
    """Makes a function a check. `if_it_fails` names the place that relies on the checked behaviour."""

    def register(function):
        CHECKS.append((function, if_it_fails))
        return function

    return register


class Smoke(users.Stack):
    """The stack, and what the checks share."""

    def __init__(self, name, phone, email, slow, outputs):
        super().__init__(name)
        self.phone, self.email, self.slow = phone, email, slow
        self.outputs |= outputs
        self.api = self.outputs["AuthApiURL"]
        self.client_id = self.outputs["AuthApiUserPoolClientId"]
        self.started = datetime.now(UTC)
        self.http = urllib3.PoolManager(maxsize=32, retries=False, timeout=60)
        unsigned = Config(signature_version=UNSIGNED, retries={"mode": "standard"})
        self.public = self.session.client("cognito-idp", config=unsigned)
        self.cloudformation = self.client("cloudformation")
        self.people = []
        self.called = {"PreSignUp"}
        self.rotated = None

    # ── Requests ──────────────────────────────────────────────────────────────────────────────────────

    def send(self, method, route, body=b"", **headers):
        headers = {"content-type": "application/json", "user-agent": "smoke"} | headers
        response = self.http.request(method, self.api + route, body=body, headers=headers)
        return Answer(response.status, response.headers, response.data.decode(errors="replace"))

    def post(self, route, **body):
        return self.send("POST", route, json.dumps(body).encode())

    @cached_property
    def on_api_gateway(self):
        """Whether API Gateway itself answers: each of its answers has this header."""
        return "x-amz-apigw-id" in self.post("/sign-in").headers

    # ── What the stack is ─────────────────────────────────────────────────────────────────────────────

    def number(self, parameter):
        return int(self.parameters[parameter])

    @property
    def hides_users(self):
        return self.parameters["UserExistenceErrors"] == "ENABLED"

    @cached_property
    def routes(self):
        paths = yaml.safe_load((Path(__file__).parent.parent / "openapi.yaml").read_text())["paths"]
        return [path for path, item in paths.items() if self.parameters["Mode"] in item["post"]["x-modes"]]

    def open_role(self, contact, skipping=False):
        """A role that signs up with this kind of contact; if possible one that skips confirmation, or does not."""
        skip = self.list("SkipConfirmationRoles")
        parameter = "PhoneSignUpRoles" if contact == "phone_number" else "EmailSignUpRoles"
        if self.passwordless and contact == "email":
            raise Skipped("Passwordless")
        roles = sorted(self.list(parameter), key=lambda role: (role in skip) != skipping)
        if not roles:
            raise Skipped(f"no role in {parameter}")
        return roles[0]

    def read(self, username):
        """The attributes of the user, and the status."""
        user = self.user(username)
        attributes = {item["Name"]: item["Value"] for item in user["UserAttributes"]}
        return attributes | {"status": user["UserStatus"]}

    # ── Users ─────────────────────────────────────────────────────────────────────────────────────────

    def person(self, username, role=None):
        """A new user. It is deleted at the end, also after an error."""
        person = Person(username, role, users.generate(max(20, self.number("PasswordMinLength"))))
        self.people.append(person)
        return person

    def email_person(self, role=None):
        return self.person(SIMULATOR.format(f"smoke-{secrets.token_hex(8)}"), role)

    def phone_person(self, role=None, prefix=None):
        """A new user with a number that is hardly anyone's: few countries have numbers that begin with 1000."""
        prefix = prefix or (self.list("AllowedPhonePrefixes") or ["+1"])[0]
        digits = max(11 - len(prefix), 5)
        return self.person(f"{prefix}1000{secrets.randbelow(10**digits):0{digits}}"[:16], role)

    def sign_up(self, person):
        body = {"username": person.username, "userAttributes": {"role": person.role}}
        answer = self.post("/sign-up", **body, **({} if self.passwordless else {"password": person.password}))
        person.id = answer.body.get("id")
        return answer

    def sign_in(self, person):
        body = {"username": person.username} | ({} if self.passwordless else {"password": person.password})
        return self.post("/sign-in", **body)

    def direct_sign_up(self, person, attributes, client_id=None):
        person.id = self.public.sign_up(
            ClientId=client_id or self.client_id,
            Username=person.username,
            Password=person.password,
            UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        )["UserSub"]

    def confirmed_person(self):
        """A new confirmed user with a password."""
        person = self.email_person(self.open_role("email"))
        self.sign_up(person).expect(200)
        self.confirm_sign_up(person)
        return person

    def confirm_sign_up(self, person):
        if self.read(person.id)["status"] == "UNCONFIRMED":
            self.cognito.admin_confirm_sign_up(**self.pool, Username=person.id)
        self.called.add("PostConfirmation")

    @cached_property
    def member(self):
        """A confirmed user with a password."""
        return self.confirmed_person()

    @cached_property
    def signed_in(self):
        """A user with tokens. `refresh` replaces them."""
        if not self.passwordless:
            self.member.tokens = self.sign_in(self.member).expect(200)
            return self.member
        if not self.phone_owner.tokens:
            raise Skipped("the sign-in with a code failed")
        return self.phone_owner

    @cached_property
    def phone_owner(self):
        """The person at the terminal, signed up with PHONE."""
        if not self.phone:
            raise Skipped("needs PHONE=+…")
        prefixes = self.list("AllowedPhonePrefixes")
        if prefixes and not self.phone.startswith(tuple(prefixes)):
            raise Skipped("PHONE is outside AllowedPhonePrefixes")
        person = self.person(self.phone, self.open_role("phone_number"))
        self.sign_up(person).expect(200)
        return person

    @cached_property
    def email_owner(self):
        """The person at the terminal, signed up with EMAIL."""
        role = self.open_role("email")
        if not self.email:
            raise Skipped("needs EMAIL=…")
        person = self.person(self.email, role)
        self.sign_up(person).expect(200)
        return person

    def check_contacts_are_free(self):
        """Exits if a given contact has an account: it would be deleted at the end."""
        if self.phone or self.email:
            users.need_terminal("Codes are typed at the terminal")
        for contact in filter(None, [self.phone, self.email]):
            if self.user(contact):
                sys.exit(f"{contact} has an account in the stack {self.name}. Give a contact without one.")

    def delete_people(self):
        """Deletes every user of the checks. Returns the commands for users that could not be deleted."""
        left = []
        for person in self.people:
            for attempt in range(3):
                try:
                    # By id, because a check may have deleted the contact.
                    self.cognito.admin_delete_user(**self.pool, Username=person.id or person.username)
                except self.cognito.exceptions.UserNotFoundException:
                    pass
                except (BotoCoreError, ClientError):
                    if attempt < 2:
                        time.sleep(2)
                        continue
                    left.append(users.delete_command(self, person.username))
                break
        return left

    # ── Updates of the stack ──────────────────────────────────────────────────────────────────────────

    def update(self, **changed):
        """Deploys the same template again with these parameters changed; returns the changes of resources."""
        name = f"smoke-{secrets.token_hex(8)}"
        change_set = {"StackName": self.name, "ChangeSetName": name}
        self.cloudformation.create_change_set(
            **change_set,
            UsePreviousTemplate=True,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": changed[key]}
                if key in changed
                else {"ParameterKey": key, "UsePreviousValue": True}
                for key in self.parameters
            ],
        )
        try:
            self.cloudformation.get_waiter("change_set_create_complete").wait(**change_set, WaiterConfig={"Delay": 2})
        except WaiterError as error:
            reason = error.last_response.get("StatusReason", str(error))
            self.cloudformation.delete_change_set(**change_set)
            if re.search("didn't contain changes|No updates are to be performed", reason):
                return []
            raise Failed(reason) from error
        pages = self.cloudformation.get_paginator("describe_change_set").paginate(**change_set)
        changes = [change["ResourceChange"] for page in pages for change in page["Changes"]]
        started = datetime.now(UTC)
        self.cloudformation.execute_change_set(**change_set)
        try:
            self.cloudformation.get_waiter("stack_update_complete").wait(StackName=self.name, WaiterConfig={"Delay": 3})
        except WaiterError as error:
            raise Failed(self.first_failure(started) or str(error)) from error
        return changes

    def first_failure(self, since):
        """Why the last update of the stack failed."""
        events = self.cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        reasons = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
            for event in events
            if event["ResourceStatus"].endswith("_FAILED") and event["Timestamp"] >= since
        ]
        return reasons[-1] if reasons else None


def ask(question):
    """The input at the terminal."""
    print(question, end="", file=sys.stderr, flush=True)
    return input().strip()


def waited(condition, seconds):
    """Whether the condition holds within this time."""
    end = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < end:
        time.sleep(2)
    return holds


# ── The stack and its gateway ──────────────────────────────────────────────────────────────────────────


@check(if_it_fails="template.yaml, Outputs")
def outputs(stack):
    """The stack has all outputs, and the JWKS has keys."""
    expected = {"AuthApiURL", "AuthApiIssuer", "AuthApiJwksUri", "AuthApiUserPoolId", "AuthApiUserPoolClientId"}
    expect(expected <= stack.outputs.keys(), expected, set(stack.outputs))
    expect(stack.outputs["AuthApiIssuer"].endswith("/" + stack.pool["UserPoolId"]), "the pool's issuer", stack.outputs)
    answer = stack.http.request("GET", stack.outputs["AuthApiJwksUri"])
    keys = json.loads(answer.data).get("keys", [])
    expect(any(key.get("kid") and key.get("alg") == "RS256" for key in keys), "RS256 keys", answer.data[:200])


@check(if_it_fails="template.yaml, `Cors` of Api")
def preflight(stack):
    """Every route answers the preflight of a page of AllowedOrigin."""
    origin = stack.parameters["AllowedOrigin"]
    for route in stack.routes:
        answer = stack.send(
            "OPTIONS",
            route,
            origin="https://example.com" if origin == "*" else origin,
            **{"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"},
        )
        names = ("origin", "methods", "headers")
        seen = {name: answer.headers.get(f"access-control-allow-{name}", "") for name in names}
        allowed = set(re.split(r",\s*", seen["headers"].lower()))
        # In browsers, * means every header except Authorization.
        allows = "authorization" in allowed and {"*", "content-type"} & allowed
        holds = answer.status == 200 and seen["origin"] == origin and "POST" in seen["methods"] and allows
        expect(holds, "200 with CORS headers", f"{route}: {answer.status} {seen}")


@check(if_it_fails="template.yaml, GatewayResponses: add the one of this answer's `x-amzn-errortype`")
def unknown_route(stack):
    """An unknown route gets 404, and nothing of an Authorization header comes back."""
    secret = secrets.token_hex(16)
    signature = f"AWS4-HMAC-SHA256 Credential={secret}/20260101/us-east-1/execute-api/aws4_request, Signature={secret}"
    stack.send("POST", "/no-such-route", b"{}").expect(404, "NotFoundException")
    for header in [f"Bearer {secret}", f"Basic {secret}=", secret, signature]:
        answer = stack.send("POST", "/no-such-route", b"{}", authorization=header)
        # AWS's own text would repeat the header.
        seen = f"{answer} {answer.headers.get('x-amzn-errortype', '')}"
        expect(400 <= answer.status < 500 and answer.error, "an error of this API", seen)
        expect(secret not in f"{answer.text}{answer.headers}", "nothing of the header", seen)


@check(if_it_fails="README and openapi.yaml: say which sizes the gateway answers, and how")
def large_bodies(stack):
    """Bodies beyond 16 KiB, and beyond Lambda's and the gateway's limits, get 413."""
    for size in [16 * 1024 + 1, 7 * 1024**2, 10 * 1024**2 + 1]:
        answer = stack.send("POST", "/sign-in", b'{"username":"' + b"a" * size + b'"}')
        expect(answer.status == 413 and answer.error, f"413 for {size} bytes", answer)


# ── Users with passwords ───────────────────────────────────────────────────────────────────────────────


@check(if_it_fails="crates/auth-core/src/sign_up.rs: the attributes of SignUp; WriteAttributes in template.yaml")
def sign_up(stack):
    """A sign-up is unconfirmed and can't sign in; once it is confirmed it has its role's group."""
    role = stack.open_role("email")
    if role in stack.list("SkipConfirmationRoles"):
        raise Skipped("every role in EmailSignUpRoles skips confirmation")
    person = stack.email_person(role)
    stack.sign_up(person).expect(200)
    stack.sign_in(person).expect(403, "UserNotConfirmedException")
    stack.confirm_sign_up(person)
    groups = stack.groups_of(stack.user(person.username))
    expect(groups == [role], f"the group {role}", groups)


@check(if_it_fails="crates/auth-core/src/pre_sign_up.rs: what Cognito gives the trigger of such a request")
def direct_sign_ups(stack):
    """Cognito's own SignUp rejects a closed role, a phone number with an e-mail attribute, and a username alone."""
    new = stack.phone_person if stack.passwordless else stack.email_person
    by_phone, by_email = set(stack.list("PhoneSignUpRoles")), set(stack.list("EmailSignUpRoles"))
    closed = next((role for role in stack.roles if role not in by_phone | by_email), "NoSuchRole")
    # A role that is open to both may bring both.
    role_of_one = min((by_phone - by_email) or (by_email - by_phone), default="NoSuchRole")
    one, two, three = new(), stack.phone_person(), new()
    for what, person, attributes in [
        (f"the role {closed}", one, {one.contact: one.username, "custom:role": closed}),
        ("an e-mail attribute", two, {"email": SIMULATOR.format("smoke"), "custom:role": role_of_one}),
        ("a username alone", three, {}),
    ]:
        try:
            stack.direct_sign_up(person, attributes)
        except ClientError as error:
            errors = {"UserLambdaValidationException", "NotAuthorizedException", "InvalidParameterException"}
            expect(users.code(error) in errors, f"an error for {what}", error)
        else:
            raise Failed(f"SignUp took {what}")
        expect(not stack.user(person.username), f"no user after {what}", person.username)


@check(if_it_fails="docs/parameters.md: a role in SkipConfirmationRoles has no group until its next confirmation")
def skipped_confirmation(stack):
    """A role that skips confirmation has its group at once."""
    skip = stack.list("SkipConfirmationRoles")
    for parameter, new in [("EmailSignUpRoles", stack.email_person), ("PhoneSignUpRoles", stack.phone_person)]:
        roles = [role for role in stack.list(parameter) if role in skip]
        if roles and not (stack.passwordless and parameter == "EmailSignUpRoles"):
            person = new(roles[0])
            stack.sign_up(person).expect(200)
            stack.called.add("PostConfirmation")
            status = stack.read(person.username)["status"]
            seen = status, stack.groups_of(stack.user(person.username))
            expect(seen == ("CONFIRMED", roles[:1]), f"CONFIRMED and the group {roles[0]}", seen)
            return
    raise Skipped("no open role in SkipConfirmationRoles")


# ── With a phone ───────────────────────────────────────────────────────────────────────────────────────


@check(if_it_fails="crates/auth-core/src/define_auth_challenge.rs: `cognito:user_status` of an unconfirmed user")
def unconfirmed_phone(stack):
    """A phone number that has not confirmed can't sign in."""
    stack.sign_in(stack.phone_owner).expect(403, "UserNotConfirmedException")
    if stack.passwordless:
        stack.called |= {"DefineAuthChallenge"}


@check(if_it_fails="template.yaml, SmsConfiguration; docs/deploying.md, what SMS need")
def confirmed_phone(stack):
    """A phone number confirms with the code of an SMS, and has its role's group."""
    person = stack.phone_owner
    code = ask(f"The code of the SMS to {person.username} that confirms the sign-up: ")
    stack.post("/sign-up/confirm", username=person.username, confirmationCode=code).expect(200)
    stack.called.add("PostConfirmation")
    groups = stack.groups_of(stack.user(person.username))
    expect(groups == [person.role], f"the group {person.role}", groups)
    if not stack.passwordless:
        stack.sign_in(person).expect(200)


@check(if_it_fails="crates/auth-core/src/token.rs, verify_auth_challenge_response.rs: how long a session is good")
def codes(stack):
    """After two wrong answers, each with a new session, the right code works, and no session works again."""
    person = stack.phone_owner
    if not stack.passwordless:
        raise Skipped("UserPassword")
    sessions = [stack.sign_in(person).expect(200)["session"]]
    stack.called |= {"DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse"}
    code = ask(f"The code of the SMS to {person.username} that signs in: ")

    def answer(session, code):
        return stack.post("/token", username=person.username, session=session, confirmationCode=code)

    for _ in range(2):
        wrong = answer(sessions[-1], f"{(int(code) + 1) % 10**6:06}").expect(401, "CodeMismatchException")
        sessions.append(wrong["error"]["session"])
    expect(len(set(sessions)) == 3, "three sessions", sessions)
    person.tokens = answer(sessions[-1], code).expect(200)
    for spent in sessions:
        answer(spent, code).expect(401, "NotAuthorizedException")


# ── Tokens ─────────────────────────────────────────────────────────────────────────────────────────────
@check(if_it_fails="template.yaml, Outputs; docs/verifying-tokens.md")
def sign_in(stack):
    """A sign-in's tokens are of this issuer, client and role, by a key of the JWKS."""
    person = stack.signed_in
    keys = json.loads(stack.http.request("GET", stack.outputs["AuthApiJwksUri"]).data)["keys"]
    for name, client in [("accessToken", "client_id"), ("tokenId", "aud")]:
        header, claims = (decoded(part) for part in person.tokens[name].split(".")[:2])
        expect(header["kid"] in [key["kid"] for key in keys], "a key of the JWKS", header)
        seen = {key: claims.get(key) for key in ("iss", client, "cognito:groups")}
        wanted = {"iss": stack.outputs["AuthApiIssuer"], client: stack.client_id, "cognito:groups": [person.role]}
        expect(seen == wanted, wanted, seen)


def decoded(part):
    """A part of a JWT."""
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@check(if_it_fails="crates/auth-core/src/token_refresh.rs; RefreshTokenRotation in template.yaml")
def refresh(stack):
    """A refresh returns tokens, and with rotation another refresh token; the sign-in's time stays."""
    person = stack.signed_in
    old = person.tokens
    person.tokens = stack.post("/token/refresh", refreshToken=old["refreshToken"]).expect(200)
    stack.rotated = time.monotonic(), old["refreshToken"]
    expected = "another" if stack.parameters["RefreshTokenRotation"] == "ENABLED" else "the same"
    seen = "another" if old["refreshToken"] != person.tokens["refreshToken"] else "the same"
    expect(seen == expected, f"{expected} refresh token", seen)
    before, after = (decoded(tokens["accessToken"].split(".")[1])["auth_time"] for tokens in (old, person.tokens))
    expect(before == after, f"auth_time {before}", after)


@check(if_it_fails="template.yaml, RetryGracePeriodSeconds; docs/integrating.md, Refreshing")
def reuse_within_grace(stack):
    """A rotated refresh token works once more within the grace of 60 seconds."""
    _, old = rotated(stack)
    stack.post("/token/refresh", refreshToken=old).expect(200)


def rotated(stack):
    """When the refresh token was rotated, and the old one."""
    _ = stack.signed_in
    if stack.parameters["RefreshTokenRotation"] == "DISABLED":
        raise Skipped("RefreshTokenRotation=DISABLED")
    if not stack.rotated:
        raise Skipped("the refresh failed")
    return stack.rotated


# ── Contacts ───────────────────────────────────────────────────────────────────────────────────────────


@check(if_it_fails="SECURITY.md, who can do what: what ContactChanges=REFUSED stops, and what not")
def refused_contacts(stack):
    """ContactChanges=REFUSED: a signed-in user can't set a new contact, and still can delete the old one."""
    if stack.parameters["ContactChanges"] != "REFUSED":
        raise Skipped("ContactChanges=ALLOWED")
    if stack.passwordless:
        person = stack.signed_in
    else:
        person = stack.confirmed_person()
        person.tokens = stack.sign_in(person).expect(200)
    token = {"AccessToken": person.tokens["accessToken"]}
    other = stack.phone_person() if stack.passwordless else stack.email_person()
    stack.called.add("CustomMessage")
    contact = person.contact

    def now():
        return stack.read(person.id).get(contact)

    def write(value):
        stack.public.update_user_attributes(**token, UserAttributes=[{"Name": contact, "Value": value}])

    try:
        write(other.username)
    except ClientError as error:
        expect(users.code(error) == "UserLambdaValidationException", "the error of custom-message", error)
    else:
        raise Failed("UpdateUserAttributes took a new contact")
    expect(now() == person.username, person.username, now())

    def delete():
        stack.public.delete_user_attributes(**token, UserAttributeNames=[contact])

    seen = {}
    for what, remove in {"a blank value": lambda: write(""), "DeleteUserAttributes": delete}.items():
        # As an administrator does who restores an account.
        restored = {contact: person.username, f"{contact}_verified": "true"}
        attributes = [{"Name": name, "Value": value} for name, value in restored.items()]
        stack.cognito.admin_update_user_attributes(**stack.pool, Username=person.id, UserAttributes=attributes)
        expect(now() == person.username, "the restored contact", now())
        try:
            remove()
            seen[what] = "deletes the contact" if not now() else "is accepted, and the contact stays"
        except ClientError as error:
            seen[what] = f"is rejected: {users.code(error)}"
    note = "; ".join(f"{what} {result}" for what, result in seen.items())
    expect(set(seen.values()) == {"deletes the contact"}, "both to delete the contact", note)
    return note


# If this passes, ContactChanges=REFUSED could leave the contacts out of WriteAttributes.
@check(if_it_fails="local/strict/cognito/attributes.py, sign_up: a username counts as a write of its contact")
def client_without_contacts(stack):
    """A client that can't write contacts can sign up by username alone."""
    contact = "phone_number" if stack.passwordless else "email"
    person = (stack.phone_person if stack.passwordless else stack.email_person)(stack.open_role(contact, skipping=True))
    if stack.passwordless and person.role not in stack.list("SkipConfirmationRoles"):
        raise Skipped("an SMS would be sent to a number without an owner")
    client = stack.cognito.create_user_pool_client(**stack.pool, ClientName="smoke", WriteAttributes=["custom:role"])
    client = {**stack.pool, "ClientId": client["UserPoolClient"]["ClientId"]}
    try:
        stack.direct_sign_up(person, {"custom:role": person.role}, client["ClientId"])
    finally:
        stack.cognito.delete_user_pool_client(**client)
    expect(stack.read(person.id).get(contact) == person.username, person.username, stack.read(person.id))


# ── Unknown users ──────────────────────────────────────────────────────────────────────────────────────


@check(if_it_fails="SECURITY.md, existence of users; docs/routes.md")
def unknown_user(stack):
    """An unknown user is hidden or reported, as UserExistenceErrors says."""
    if stack.passwordless:
        if stack.hides_users:
            raise Skipped("hidden: the next check")
        stack.sign_in(stack.phone_person()).expect(404, "UserNotFoundException")
        return
    unknown = stack.email_person()
    if not stack.hides_users:
        stack.sign_in(unknown).expect(404, "UserNotFoundException")
        return
    wrong = Person(stack.member.username, password=unknown.password)
    seen = [(answer.status, answer.text) for answer in (stack.sign_in(wrong), stack.sign_in(unknown))]
    expect(seen[0] == seen[1] and seen[0][0] == 401, "the same 401", seen)
    stack.post("/password/forgot", username=unknown.username).expect(200)


@check(if_it_fails="crates/auth-core/src/challenge.rs, limits_key; SECURITY.md, what remains: limits of unknown users")
def unknown_number(stack):
    """ENABLED: unknown and known numbers get the same answers at 0, 5 and 20 seconds."""
    person = hidden_number(stack)
    start = time.monotonic()
    limited = stack.number("OtpCooldownSeconds") > 20 or stack.number("OtpMaxSendsPerHour") < 2
    for second, status in [(0, 200), (5, 200), (20, 429 if limited else 200)]:
        time.sleep(max(0, start + second - time.monotonic()))
        answer = stack.sign_in(person)
        answer.expect(status, "TooManyRequestsException" if status == 429 else None)
        if status == 200:
            session = answer.body["session"]
    answer = stack.post("/token", username=person.username, session=session, confirmationCode="000000")
    answer.expect(401, "CodeMismatchException")
    stack.called |= {"DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse"}


@check(if_it_fails="crates/auth-core/src/sign_in.rs: the prefixes are asked before Cognito is")
def outside_prefixes(stack):
    """ENABLED: outside AllowedPhonePrefixes, unknown and known numbers get the same answer."""
    unknown = hidden_number(stack)
    prefixes = stack.list("AllowedPhonePrefixes")
    # No country has any of these.
    outside = next((code for code in ("+999", "+888", "+210") if not code.startswith(tuple(prefixes))), None)
    if not prefixes or not outside:
        raise Skipped("AllowedPhonePrefixes allows any")
    known, unknown = (stack.phone_person(prefix=outside) for _ in range(2))
    attributes = {"phone_number": known.username, "phone_number_verified": "true"}
    known.id = stack.cognito.admin_create_user(
        **stack.pool,
        Username=known.username,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
    )["User"]["Username"]
    stack.cognito.admin_set_user_password(**stack.pool, Username=known.id, Password=known.password, Permanent=True)
    seen = [(answer.status, answer.text) for answer in (stack.sign_in(known), stack.sign_in(unknown))]
    expect(seen[0] == seen[1] and seen[0][0] == 400, "the same 400", seen)


def hidden_number(stack):
    """An unknown number, if the stack hides unknown users."""
    if not stack.passwordless:
        raise Skipped("UserPassword")
    if not stack.hides_users:
        raise Skipped("UserExistenceErrors=LEGACY")
    return stack.phone_person()


# ── With a mailbox ─────────────────────────────────────────────────────────────────────────────────────


@check(if_it_fails="template.yaml, VerificationMessageTemplate and EmailConfiguration")
def confirmed_email(stack):
    """An e-mail address confirms with the code or the link of the e-mail, and signs in."""
    person = stack.email_owner
    if stack.parameters["EmailVerification"] == "CODE":
        code = ask(f"The code of the e-mail to {person.username} that confirms the sign-up: ")
        stack.post("/sign-up/confirm", username=person.username, confirmationCode=code).expect(200)
    else:
        ask(f"Open the link of the e-mail to {person.username}, then press Enter: ")
    stack.called.add("PostConfirmation")
    stack.sign_in(person).expect(200)
    groups = stack.groups_of(stack.user(person.username))
    expect(groups == [person.role], f"the group {person.role}", groups)


@check(if_it_fails="template.yaml, AccountRecoverySetting; SECURITY.md: a password reset ends every earlier session")
def reset(stack):
    """A password is reset with the code of an e-mail, and the old one no longer works."""
    person = stack.email_owner
    stack.post("/password/forgot", username=person.username).expect(200)
    code = ask(f"The code of the e-mail to {person.username} that resets the password: ")
    old = Person(person.username, password=person.password)
    person.password = users.generate(max(20, stack.number("PasswordMinLength")))
    body = {"username": person.username, "password": person.password, "confirmationCode": code}
    stack.post("/password/change", **body).expect(200)
    stack.sign_in(old).expect(401, "NotAuthorizedException")
    stack.sign_in(person).expect(200)


# ── Updates ────────────────────────────────────────────────────────────────────────────────────────────


@check(if_it_fails="template.yaml: the resource named is not the same twice")
def deployed_twice(stack):
    """A second deployment without a change replaces only the API's deployment."""
    changes = [
        f"{change['Action']} {change['LogicalResourceId']}"
        for change in stack.update()
        if change["ResourceType"] != "AWS::ApiGateway::Deployment"
        and (change["Action"] != "Modify" or change.get("Replacement") == "True")
    ]
    expect(not changes, "no change", changes)


@check(if_it_fails="template.yaml, SmsRole and UserAttributeUpdateSettings: what Cognito says of the update")
def pool_update(stack):
    """The user pool accepts an update of its settings."""
    key = "ConfirmByCodeSubject"
    old = stack.parameters[key]
    new = f"{old}." if len(old) < 140 else old[:-1]
    try:
        stack.update(**{key: new})
        template = stack.cognito.describe_user_pool(**stack.pool)["UserPool"]["VerificationMessageTemplate"]
        expect(template.get("EmailSubject") == new, new, template)
    finally:
        stack.update(**{key: old})


@check(if_it_fails="template.yaml, THROTTLED. API Gateway's limits are not exact: run it again first")
def throttled(stack):
    """Too many requests at once get 429 with Retry-After."""
    burst, most = stack.number("MessageThrottlingBurstLimit"), 400
    if stack.parameters["EnableWaf"] == "true":
        # The web ACL would block the next checks.
        most = min(most, stack.number("ApiWafRateLimit") // 3)
    if burst * 2 > most:
        raise Skipped(f"MessageThrottlingBurstLimit={burst} is more than this sends")
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: stack.post("/sign-up"), range(most)))
    rejected = next((answer for answer in answers if answer.status == 429), None)
    expect(rejected, f"a 429 among {most} answers", {answer.status for answer in answers})
    rejected.expect(429, "TooManyRequestsException")
    expect(rejected.headers.get("retry-after") == "1", "Retry-After: 1", dict(rejected.headers))


# ── What takes time ────────────────────────────────────────────────────────────────────────────────────


@check(if_it_fails="template.yaml, RetryGracePeriodSeconds; docs/integrating.md, Refreshing")
def reuse_after_grace(stack):
    """A rotated refresh token is rejected after the grace."""
    at, old = rotated(stack)
    time.sleep(max(0, at + GRACE_SECONDS + 5 - time.monotonic()))
    stack.post("/token/refresh", refreshToken=old).expect(401, "RefreshTokenReuseException")


@check(if_it_fails="crates/auth-core/src/http.rs, bearer; template.yaml, AllowHeaders")
def account(stack):
    """The signed-in user's account is read with the access token in the header."""
    person = stack.signed_in
    stack.post("/account").expect(401, "NotAuthorizedException")
    bearer = {"authorization": f"Bearer {person.tokens['accessToken']}"}
    body = stack.send("POST", "/account", **bearer).expect(200)
    # The username may be missing: a check deletes contacts.
    expect(body["id"] == person.id, person.id, body["id"])
    expect(person.role in body["roles"], f"the role {person.role}", body["roles"])


@check(if_it_fails="crates/auth-core/src/account_delete.rs: how Cognito ends a user")
def deletion(stack):
    """A new password ends every session, and a deleted account is gone."""
    if stack.passwordless:
        raise Skipped("Passwordless")
    person = stack.confirmed_person()
    old = stack.sign_in(person).expect(200)
    new = users.generate(max(20, stack.number("PasswordMinLength")))
    body = json.dumps({"password": person.password, "newPassword": new}).encode()
    bearer = {"authorization": f"Bearer {old['accessToken']}"}
    stack.send("POST", "/account/password", body, **bearer).expect(200)
    stack.post("/token/refresh", refreshToken=old["refreshToken"]).expect(401, "NotAuthorizedException")
    person.password = new
    bearer = {"authorization": f"Bearer {stack.sign_in(person).expect(200)['accessToken']}"}
    body = json.dumps({"username": person.username}).encode()
    stack.send("POST", "/account/delete", body, **bearer).expect(200)
    stack.send("POST", "/account", **bearer).expect(401, "NotAuthorizedException")
    expect(not stack.user(person.username), "no user", person.username)


@check(if_it_fails="crates/auth-core/src/token_revoke.rs; SECURITY.md, a thief of a token")
def revoke(stack):
    """A sign-out ends the session: refreshes are rejected, and so is its access token at Cognito."""
    tokens = stack.signed_in.tokens
    stack.post("/token/revoke", accessToken=tokens["accessToken"]).expect(200)
    stack.post("/token/refresh", refreshToken=tokens["refreshToken"]).expect(401, "NotAuthorizedException")
    try:
        stack.public.get_user(AccessToken=tokens["accessToken"])
    except stack.public.exceptions.NotAuthorizedException:
        return
    raise Failed("GetUser took the access token")


@check(if_it_fails="crates/auth-core/src/connector.rs: how long an idle connection is kept")
def idle(stack):
    """The first call after 12 idle minutes is answered within 3 seconds."""
    if not stack.slow:
        raise Skipped(f"takes {IDLE_MINUTES} minutes: SLOW=1")
    stack.post("/token/refresh", refreshToken="x").expect(401, "NotAuthorizedException")
    time.sleep(60 * IDLE_MINUTES)
    start = time.monotonic()
    stack.post("/token/refresh", refreshToken="x").expect(401, "NotAuthorizedException")
    seconds = time.monotonic() - start
    expect(seconds < 3, "less than 3 s", f"{seconds:.1f} s")


@check(if_it_fails="template.yaml, LoggingConfig, AccessLogSetting and the policy write-logs")
def logs(stack):
    """Every log group has a line of these checks."""
    for route in stack.routes:
        stack.post(route)
    called = {re.sub(r"[/-](\w)", lambda match: match[1].upper(), route) for route in stack.routes} | stack.called
    if stack.parameters["AccessLogs"] == "ENABLED" and stack.on_api_gateway:
        called.add("Api")
    client, prefix = stack.client("logs"), f"/auth-rocket/{stack.name}/"
    groups = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    groups = {group["logGroupName"].removeprefix(prefix) for page in groups for group in page["logGroups"]}
    silent = called & groups
    since = int(stack.started.timestamp() * 1000)

    def has_line(group):
        pages = client.get_paginator("filter_log_events").paginate(logGroupName=prefix + group, startTime=since)
        return any(page["events"] for page in pages)

    def all_have_lines():
        silent.difference_update([group for group in silent if has_line(group)])
        return not silent

    expect(called <= groups, f"the groups {called}", groups)
    waited(all_have_lines, 90)
    expect(not silent, "a line in each group", f"none in {silent}")


@check(if_it_fails="crates/auth-core/src/telemetry: how CloudWatch wants a metric in a line")
def metrics(stack):
    """CloudWatch has the metrics of these checks."""
    if stack.parameters["Metrics"] == "DISABLED":
        raise Skipped("Metrics=DISABLED")
    if not stack.on_api_gateway:
        raise Skipped("this is not AWS's own API Gateway, so logs make no metrics either")
    client, namespace = stack.client("cloudwatch"), f"AuthRocket/{stack.name}"
    query = {"Namespace": namespace, "MetricName": "Requests", "Period": 60, "Statistics": ["Sum"]}

    def counted():
        listed = client.list_metrics(Namespace=namespace, MetricName="Requests")["Metrics"]
        span = {"StartTime": stack.started - timedelta(minutes=1), "EndTime": datetime.now(UTC) + timedelta(minutes=1)}
        return any(
            client.get_metric_statistics(**query, **span, Dimensions=metric["Dimensions"])["Datapoints"]
            for metric in listed
        )

    expect(waited(counted, 240), f"Requests in {namespace}", "none")


# ── The table ──────────────────────────────────────────────────────────────────────────────────────────


def run(stack):
    """Runs all checks and prints a row for each. Returns whether none failed."""
    count = dict.fromkeys(("passed", "failed", "skipped"), 0)
    for function, if_it_fails in CHECKS:
        outcome = "passed"
        try:
            note = function(stack)
            lines = [note] if note else []
        except Skipped as reason:
            outcome, lines = "skipped", [str(reason)]
        except Exception as error:  # noqa: BLE001 (the row says what failed, and the next checks run)
            outcome, lines = "failed", [f"{error}" if isinstance(error, Failed) else f"{type(error).__name__}: {error}"]
            lines.append(f"To change: {if_it_fails}")
        count[outcome] += 1
        print(f"{outcome:8} {function.__doc__}", *lines, sep="\n         ", flush=True)
    print(", ".join(f"{number} {outcome}" for outcome, number in count.items()))
    return not count["failed"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stack")
    parser.add_argument("--phone", default="", help="a phone at hand, which gets SMS; without an account in the pool")
    parser.add_argument("--email", default="", help="a mailbox at hand; without an account in the pool")
    parser.add_argument("--slow", action="store_true", help="also what takes 12 minutes")
    parser.add_argument("--outputs", type=argparse.FileType(), help="URLs in place of the stack's, as NAME=VALUE lines")
    given = parser.parse_args()
    outputs = dict(line.strip().split("=", 1) for line in given.outputs or [])
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: sys.exit("Ended."))
    with users.legible_errors():
        stack = Smoke(given.stack, given.phone, given.email, given.slow, outputs)
        stack.check_contacts_are_free()
        stack.confirm("Make users, delete them again, and update the stack without a lasting change")
        try:
            passed = run(stack)
        finally:
            for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(ending, signal.SIG_IGN)
            if left := stack.delete_people():
                print("These users could not be deleted:", *left, sep="\n  ", file=sys.stderr)
    sys.exit(0 if passed and not left else 1)


if __name__ == "__main__":
    main()
