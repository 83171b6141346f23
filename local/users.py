"""The users of a stack, for its administrators.

    python local/users.py create-user STACK USERNAME ROLE
    python local/users.py list-users STACK
    python local/users.py set-role STACK USERNAME ROLE
    python local/users.py unlock-user STACK USERNAME

`make create-user` and so on run it against the embedded AWS, and with ACCOUNT=mine against the account and the
profile (AWS_PROFILE) that the AWS CLI is set to, where each change is asked for first. A password is typed at the
terminal or shown there, once: it is never an argument, a variable or part of the output.
"""

import argparse
import getpass
import os
import re
import secrets
import shlex
import string
import sys
from contextlib import contextmanager
from datetime import UTC

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)

# The rules of `auth_core::username`.
PHONE = re.compile(
    r"(?=.{8,16}\Z)\+((1|7|2[07]|3[0-46]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])[1-9]"
    r"|(2[1-689]|3[578]|42|5[09]|6[7-9]|8[035789]|9[679])[0-9][1-9]|39[0-9]"
    r"|(225|226|229|241|242|250|378|881|992)0)[0-9]+"
)
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = re.compile(rf"(?=.{{1,128}}\Z)(?=[^@]{{1,64}}@){ATOM}(\.{ATOM})*@{LABEL}(\.{LABEL})+")

# What every policy can ask for; the symbols are Cognito's and need no quotes in a shell.
CLASSES = [string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_.+=@%"]

EXAMPLES = {"USERNAME": "user@example.com", "ROLE": "User"}
NO_CREDENTIALS = "there are no AWS credentials that work: set AWS_PROFILE, or run local/.venv/bin/aws configure"
ADVICE = {
    "AccessDenied": "docs/administrators.md lists the actions that this needs",
    "AccessDeniedException": "docs/administrators.md lists the actions that this needs",
    "AuthFailure": NO_CREDENTIALS,
    "ExpiredToken": NO_CREDENTIALS,
    "ExpiredTokenException": NO_CREDENTIALS,
    "InvalidClientTokenId": NO_CREDENTIALS,
    "SignatureDoesNotMatch": NO_CREDENTIALS,
    "UnrecognizedClientException": NO_CREDENTIALS,
}


class Stack:
    """A deployed stack: its parameters and its pool."""

    def __init__(self, name):
        self.name = name
        # AWS_REGION is the SDKs' variable and not boto3's.
        self.session = boto3.Session(region_name=os.environ.get("AWS_REGION"))
        self.cognito = self.client("cognito-idp")
        try:
            stack = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if code(error) != "ValidationError":
                raise
            sys.exit(f"The stack {quoted(name)} is not there. Deploy it first: make local, or make deploy")
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        self.parameters = {item["ParameterKey"]: item["ParameterValue"] for item in stack.get("Parameters", [])}
        if "AuthApiUserPoolId" not in self.outputs or "Roles" not in self.parameters:
            sys.exit(f"The stack {quoted(name)} ({stack['StackStatus']}) has no user pool of this template.")
        self.pool = {"UserPoolId": self.outputs["AuthApiUserPoolId"]}
        self.roles = self.list("Roles")
        self.passwordless = self.parameters["Mode"] == "Passwordless"
        by_ses = self.parameters["SesIdentityArn"] and self.parameters["EmailSignUpRoles"]
        self.takes_email = bool(not self.passwordless or by_ses)

    def client(self, service):
        retries = {"mode": "standard", "max_attempts": 3}
        return self.session.client(service, config=Config(connect_timeout=5, read_timeout=20, retries=retries))

    def list(self, parameter):
        return [item.strip() for item in self.parameters[parameter].split(",") if item.strip()]

    def pages(self, operation, key, **arguments):
        """What every page of a listing has under the key."""
        for page in self.cognito.get_paginator(operation).paginate(**self.pool, **arguments):
            yield from page[key]

    def user(self, username):
        """The user as Cognito has it; `None` if there is none."""
        try:
            return self.cognito.admin_get_user(**self.pool, Username=username)
        except self.cognito.exceptions.UserNotFoundException:
            return None

    def known_user(self, username):
        """The user as Cognito has it. Exits if there is none."""
        user = self.user(username)
        if not user:
            sys.exit(f"The stack {self.name} has no user {quoted(username)}. `make list-users` lists them.")
        return user

    def resource(self, logical_id):
        """The id of a resource of the template."""
        resource = self.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical_id
        )
        return resource["StackResourceDetail"]["PhysicalResourceId"]

    def groups_of(self, user):
        groups = self.pages("admin_list_groups_for_user", "Groups", Username=user["Username"])
        return [group["GroupName"] for group in groups]

    def check(self, username, role):
        """Exits if the username or the role is not valid in this stack."""
        check_username(username, self.takes_email)
        if role not in self.roles:
            sys.exit(f"The stack {self.name} has no role {role!r}. Its roles are: {', '.join(self.roles)}")

    def confirm(self, change):
        """Asks before a change on a real account; the embedded AWS is on 127.0.0.1, and on no other name."""
        if self.cognito.meta.endpoint_url.startswith("http://127.0.0.1:"):
            return
        need_terminal("A change on a real account is asked for first")
        account = self.client("sts").get_caller_identity()["Account"]
        region = self.cognito.meta.region_name
        # Not with `input`: its question would go into a redirected output.
        question = f"{change} in the stack {self.name} (account {account}, region {region})? [y/N] "
        print(question, end="", file=sys.stderr, flush=True)
        if input().lower() != "y":
            sys.exit("Nothing was changed.")


def create_user(name, username, role):
    """Makes a confirmed user, or nothing."""
    stack = Stack(name)
    stack.check(username, role)
    if user := stack.user(username):
        groups = ", ".join(stack.groups_of(user)) or "none"
        status = user["UserStatus"]
        sys.exit(f"{quoted(username)} exists already (status {status}, groups: {groups}). Nothing was changed.\n" + (
            "It was left half made, or made elsewhere. To make it anew, take it away first:\n"
            f"  {delete_command(stack, user['Username'])}"
            if status == "FORCE_CHANGE_PASSWORD"
            else "`make set-role` gives it another role."
        ))
    if not stack.passwordless:
        need_terminal("A password is typed at the terminal or shown there")
    stack.confirm(f"Make the user {quoted(username)} with the role {role}")
    minimum = int(stack.parameters["PasswordMinLength"])
    generated = None
    if stack.passwordless:
        # Nobody ever knows it: sign-in is by one-time codes.
        password = generate(max(minimum, 44))
    else:
        password = ask_password(username) or (generated := generate(max(minimum, 20)))

    attribute = "phone_number" if PHONE.fullmatch(username) else "email"
    attributes = {attribute: username, f"{attribute}_verified": "true", "custom:role": role}
    cognito = stack.cognito
    # Cognito checks the password policy here, before it makes the user.
    user = cognito.admin_create_user(
        **stack.pool,
        Username=username,
        TemporaryPassword=password,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
    )["User"]["Username"]
    try:
        cognito.admin_add_user_to_group(**stack.pool, Username=user, GroupName=role)
        # Last: without it the user can't sign in. A temporary password would need a challenge, which has no route.
        cognito.admin_set_user_password(**stack.pool, Username=user, Password=password, Permanent=True)
    except BaseException:
        undo(stack, user, username)
        raise

    print(f"{quoted(username)} is confirmed and has the role {role}.")
    if generated:
        with open("/dev/tty", "w") as terminal:
            print(f"Its password, shown this once: {generated}", file=terminal)
        print("Hand it over safely; its owner changes it with /auth/password/forgot and /auth/password/change.")
    prefixes = stack.list("AllowedPhonePrefixes")
    is_barred = attribute == "phone_number" and prefixes and not username.startswith(tuple(prefixes))
    if stack.passwordless and is_barred:
        allowed = ",".join(prefixes)
        print(f"It can't sign in yet: no code is sent to a number outside AllowedPhonePrefixes, {allowed}.")


def list_users(name):
    """Prints every user, a page at a time."""
    stack = Stack(name)
    # By group: a few calls. By user it would be a call for each user.
    groups = {}
    for group in stack.pages("list_groups", "Groups"):
        for user in stack.pages("list_users_in_group", "Users", GroupName=group["GroupName"]):
            groups.setdefault(user["Username"], []).append(group["GroupName"])
    row = "{:<17}  {:<21}  {:<7}  {:<32}  {}".format
    print(row("CREATED (UTC)", "STATUS", "ENABLED", "USERNAME", "GROUPS"))
    for user in stack.pages("list_users", "Users"):
        attributes = {attribute["Name"]: attribute["Value"] for attribute in user["Attributes"]}
        username = attributes.get("email") or attributes.get("phone_number") or user["Username"]
        print(row(
            user["UserCreateDate"].astimezone(UTC).strftime("%Y-%m-%d %H:%M"),
            user["UserStatus"],
            "yes" if user["Enabled"] else "no",
            quoted(username),
            ", ".join(groups.get(user["Username"], [])),
        ))


def set_role(name, username, role):
    """Takes the user out of the groups of all other roles, and into the one of this role."""
    stack = Stack(name)
    stack.check(username, role)
    user = stack.known_user(username)
    if user["UserStatus"] == "UNCONFIRMED":
        sys.exit(f"{quoted(username)} has not confirmed the sign-up yet, which would add the role of the sign-up again.\n"
                 "Nothing was changed: set the role once it has confirmed.")
    groups = stack.groups_of(user)
    before = [group for group in groups if group in stack.roles]
    if before == [role]:
        print(f"{quoted(username)} has the role {role} already. Nothing was changed.")
        return
    stack.confirm(f"Change the role of {quoted(username)} from {', '.join(before) or 'none'} to {role}")
    try:
        # The old role first: a failure in between leaves too few rights, not too many.
        member = {**stack.pool, "Username": user["Username"]}
        for group in before:
            if group != role:
                stack.cognito.admin_remove_user_from_group(**member, GroupName=group)
        stack.cognito.admin_add_user_to_group(**member, GroupName=role)
    except BaseException:
        print(f"The role of {quoted(username)} may be half changed: run the same command again.", file=sys.stderr)
        raise
    print(f"{quoted(username)} has the role {role}; before: {', '.join(before) or 'none'}.")
    others = [group for group in groups if group not in stack.roles]
    if others:
        print(f"It is still in groups that are no roles of this stack: {', '.join(others)}.")
    minutes = stack.parameters["AccessTokenMinutes"]
    print(f"Tokens that are out already keep the old group until they expire, in {minutes} minutes at most.\n"
          "custom:role stays what it was at the beginning: authorise by cognito:groups.")


def unlock_user(name, username):
    """Deletes the counts of a user's one-time codes."""
    stack = Stack(name)
    if not stack.passwordless:
        sys.exit(f"The stack {name} has no one-time codes: Cognito ends its own lock-outs, in some minutes.")
    user = stack.known_user(username)
    sub = next(attribute["Value"] for attribute in user["UserAttributes"] if attribute["Name"] == "sub")
    stack.confirm(f"Let {quoted(username)} ask for codes again")
    table = stack.resource("OtpTable")
    stack.client("dynamodb").delete_item(TableName=table, Key={"sub": {"S": sub}})
    print(f"{quoted(username)} can request a code at once: its counts are deleted.")


def undo(stack, user, username):
    """Deletes a user that could not be completed."""
    try:
        stack.cognito.admin_delete_user(**stack.pool, Username=user)
        print(f"{quoted(username)} was deleted again. Nothing is left of it.", file=sys.stderr)
    except (BotoCoreError, ClientError):
        print(f"{quoted(username)} is incomplete. Delete it before you try again:\n"
              f"  {delete_command(stack, user)}", file=sys.stderr)


def delete_command(stack, user):
    return f"aws cognito-idp admin-delete-user --user-pool-id {stack.pool['UserPoolId']} --username {quoted(user)}"


def check_username(username, takes_email):
    """Exits if the API would reject the username. The prefixes are not checked: an administrator may use any."""
    if PHONE.fullmatch(username):
        return
    if not takes_email:
        sys.exit("USERNAME should be a phone number in E.164 format, such as +34999999999.")
    if not EMAIL.fullmatch(username):
        sys.exit("USERNAME should be an email address or a phone number in E.164 format, such as +34999999999.")


def need_terminal(why):
    """Exits if this does not run in a terminal."""
    try:
        open("/dev/tty").close()
        attended = sys.stdin.isatty()
    except OSError:
        attended = False
    if not attended:
        sys.exit(f"{why}: run this in a terminal, without a pipe or a redirection.")


def ask_password(username):
    """The password, typed twice. Empty if a random one is wanted."""
    password = getpass.getpass(f"Password for {quoted(username)} (Enter makes one): ")
    if password and getpass.getpass("The same again: ") != password:
        sys.exit("The two passwords differ. Nothing was changed.")
    return password


def generate(length):
    """A random password that meets every policy of that length."""
    while True:
        password = "".join(secrets.choice("".join(CLASSES)) for _ in range(length))
        if all(set(password) & set(characters) for characters in CLASSES):
            return password


def quoted(text):
    """
    The text as a shell takes it: an odd name stands in quotes, with nothing in it that a terminal would act on.
    Cognito lets people sign up with more than the API does.
    """
    return shlex.quote("".join(character if character.isprintable() else "?" for character in text))


def code(error):
    return error.response["Error"]["Code"]


@contextmanager
def legible_errors():
    """Exits with one sentence after an error of AWS or its configuration, or after Ctrl+C."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError):
        sys.exit(NO_CREDENTIALS[0].upper() + NO_CREDENTIALS[1:])
    except NoRegionError:
        sys.exit("There is no AWS region: set AWS_REGION, or run local/.venv/bin/aws configure")
    except (EndpointConnectionError, ConnectTimeoutError) as error:
        sys.exit(f"AWS is out of reach: {error} The embedded one is started by `make local`.")
    except ClientError as error:
        advice = ADVICE.get(code(error))
        sys.exit(f"{code(error)}: {error.response['Error']['Message']}" + (f"\n{advice}" if advice else ""))
    except BotoCoreError as error:
        sys.exit(str(error))
    except BrokenPipeError:
        # The reader of the list closed the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (KeyboardInterrupt, EOFError):
        sys.exit("\nInterrupted.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for function, arguments in [
        (create_user, ["STACK", "USERNAME", "ROLE"]),
        (list_users, ["STACK"]),
        (set_role, ["STACK", "USERNAME", "ROLE"]),
        (unlock_user, ["STACK", "USERNAME"]),
    ]:
        name = function.__name__.replace("_", "-")
        command = commands.add_parser(name)
        command.set_defaults(name=name, function=function, arguments=arguments)
        for argument in arguments:
            command.add_argument(argument)
    given = parser.parse_args()
    values = {argument: getattr(given, argument).strip() for argument in given.arguments}
    for argument, value in values.items():
        if not value:
            example = "".join(f" {name}={EXAMPLES[name]}" for name in given.arguments if name in EXAMPLES)
            sys.exit(f"{argument} is missing: make {given.name}{example}")
    with legible_errors():
        given.function(*values.values())


if __name__ == "__main__":
    main()
