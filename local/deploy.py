"""Builds the functions and deploys a section of samconfig.toml to the account that the AWS CLI is set to.

    python local/deploy.py SECTION [--guided]

`make deploy` runs it. It reads the section as SAM CLI does. It rejects, with the remedy, what SAM CLI or CloudFormation
would ignore or reject without one. It shows account, region and parameters before it deploys. With `--guided`
it first asks for everything, and writes the answers to samconfig.toml.
"""

import argparse
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import boto3
import tomlkit
from botocore.exceptions import ClientError, ProfileNotFound
from click import ClickException
from samcli.cli.types import CfnParameterOverridesType
from samcli.yamlhelper import yaml_parse

import users

CONFIG = Path("samconfig.toml")
ROLE_LISTS = ["EmailSignUpRoles", "PhoneSignUpRoles", "SkipConfirmationRoles"]
# By the field e_machine of an ELF header.
MACHINES = {62: "x86_64", 183: "arm64"}

UPDATABLE = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_FAILED",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}
DELETE = "aws cloudformation delete-stack"
# The command that a stack in this status needs first. The stack's name and region are added.
FIRST = {
    "CREATE_FAILED": DELETE,
    "ROLLBACK_COMPLETE": DELETE,
    "ROLLBACK_FAILED": DELETE,
    "DELETE_FAILED": DELETE,
    "UPDATE_ROLLBACK_FAILED": "aws cloudformation continue-update-rollback",
    "CREATE_IN_PROGRESS": "aws cloudformation wait stack-create-complete",
    "ROLLBACK_IN_PROGRESS": "aws cloudformation wait stack-rollback-complete",
    "DELETE_IN_PROGRESS": "aws cloudformation wait stack-delete-complete",
    "UPDATE_IN_PROGRESS": "aws cloudformation wait stack-update-complete",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "aws cloudformation wait stack-update-complete",
    "UPDATE_ROLLBACK_IN_PROGRESS": "aws cloudformation wait stack-rollback-complete",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "aws cloudformation wait stack-rollback-complete",
}


class Section:
    """A section of samconfig.toml, and the parameters of the template that it sets."""

    def __init__(self, name):
        self.name = name
        config = tomllib.loads(CONFIG.read_text())
        if name not in config:
            sections = ", ".join(section for section, value in config.items() if isinstance(value, dict))
            sys.exit(f"samconfig.toml has no section {name!r}. CONFIG is one of: {sections}")
        commands = [config[name].get(command, {}).get("parameters", {}) for command in ("global", "deploy")]
        self.settings = commands[0] | commands[1]
        if "stack_name" not in self.settings:
            sys.exit(f"samconfig.toml has no stack_name in [{name}.deploy.parameters]")
        self.overrides = read_overrides(self.settings.get("parameter_overrides", ""))

    def save(self):
        """Writes stack, region and parameters to the file, and keeps the rest of the file."""
        config = tomlkit.parse(CONFIG.read_text())
        deploy = config[self.name]["deploy"]["parameters"]
        deploy["stack_name"], deploy["region"] = self.settings["stack_name"], self.settings["region"]
        deploy["parameter_overrides"] = self.overrides
        CONFIG.write_text(tomlkit.dumps(config))


def read_overrides(given):
    """Reads the parameters as SAM CLI does. Exits if SAM CLI would ignore a part of them."""
    for text in [given] if isinstance(given, str) else given if isinstance(given, list) else []:
        if not isinstance(text, str) or text.startswith("file://"):
            continue
        rest = f" {text.strip()}"
        for pattern in CfnParameterOverridesType.ordered_pattern_match:
            if re.search(pattern, rest):
                rest = re.sub(pattern, "", rest)
                break
        if rest := rest.strip():
            sys.exit(f"samconfig.toml, parameter_overrides: SAM CLI does not understand {rest}\n"
                     "An empty value is written Name='', one with spaces Name='a b'.")
    try:
        return CfnParameterOverridesType().convert(given, None, None)
    except ClickException as error:
        sys.exit(f"samconfig.toml, parameter_overrides: {error.message}")


class Target:
    """The deployed stack."""

    def __init__(self, settings):
        self.stack = settings["stack_name"]
        region = settings.get("region") or os.environ.get("AWS_REGION")
        session = boto3.Session(profile_name=settings.get("profile"), region_name=region)
        self.account = session.client("sts").get_caller_identity()["Account"]
        self.cloudformation = session.client("cloudformation")
        self.region = self.cloudformation.meta.region_name
        self.read()

    def read(self):
        """Reads the stack's status, and its parameters."""
        self.status, self.parameters = None, {}
        try:
            stack = self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"][0]
        except ClientError as error:
            if users.code(error) != "ValidationError":
                raise
            return
        # A stack in REVIEW_IN_PROGRESS has only a change set. SAM CLI deploys it like a new one.
        if stack["StackStatus"] != "REVIEW_IN_PROGRESS":
            self.status = stack["StackStatus"]
            self.parameters = {item["ParameterKey"]: item["ParameterValue"] for item in stack.get("Parameters", [])}

    def check_status(self):
        """Exits if the stack can't be deployed, with the command to run first."""
        if self.status is None or self.status in UPDATABLE:
            return
        where = f"--stack-name {self.stack} --region {self.region}"
        first = FIRST.get(self.status)
        if first:
            why = "is being changed" if self.status.endswith("IN_PROGRESS") else "can't be updated"
            sys.exit(f"The stack {self.stack} ({self.status}) {why}. Run this, then make deploy again: {first} {where}")
        sys.exit(f"The stack {self.stack} ({self.status}) can't be updated. Look at: "
                 f"aws cloudformation describe-stack-events {where}")


def items(value):
    return [item.strip() for item in value.split(",") if item.strip()]


def problems(template, overrides, values):
    """The errors in the parameters, each with the remedy."""
    for name in overrides:
        if name not in template["Parameters"]:
            yield f"template.yaml has no parameter {name}. SAM CLI would ignore it."
    roles = items(values["Roles"])
    for role in sorted({role for role in roles if roles.count(role) > 1}):
        yield f"Roles names {role} twice."
    for name in ROLE_LISTS:
        unknown = [role for role in items(values[name]) if role not in roles]
        # Passwordless without SES ignores this list, and the default must not need a change.
        if not unknown or (name, values["Mode"], values["SesIdentityArn"]) == ("EmailSignUpRoles", "Passwordless", ""):
            continue
        yield (f"{name} is {values[name]}{'' if name in overrides else ' (samconfig.toml does not set it)'}, and "
               f"Roles is {values['Roles']}. Set {name} to some of these, or {name}='' for none.")


def warnings(values):
    """Allowed settings that give strangers more rights than an operator may expect."""
    if roles := items(values["SkipConfirmationRoles"]):
        yield (f"SkipConfirmationRoles={','.join(roles)}: anyone can sign up with another person's address or "
               "number, and has the role at once.")
    if (values["EmailVerification"], values["Mode"]) == ("LINK", "UserPassword") and items(values["EmailSignUpRoles"]):
        yield ("EmailVerification=LINK: mail scanners open links, which can confirm a stranger's sign-up. CODE needs a "
               "person.")


def ask(name, current, allowed=()):
    """The answer. An empty answer keeps the value in brackets."""
    while True:
        answer = input(f"{name} [{current}]: ").strip()
        answer = current if not answer else "" if answer in ("''", '""') else answer
        if not allowed or answer in allowed:
            return answer
        print(f"One of: {', '.join(allowed)}")


def ask_for_stack(section, target):
    """Asks for the stack and the region, and returns the stack that was named."""
    print("Enter keeps the value in brackets, '' makes it empty.")
    section.settings["stack_name"] = ask("Stack", target.stack)
    section.settings["region"] = ask("Region", target.region)
    return Target(section.settings)


def ask_for_parameters(section, target, template):
    """Asks for each parameter."""
    for name, parameter in template["Parameters"].items():
        if "Description" in parameter:
            print(f"\n{parameter['Description']}")
        current = current_values(section, target, template)[name]
        answer = ask(name, current, [str(value) for value in parameter.get("AllowedValues", [])])
        if answer != current:
            section.overrides[name] = answer


def current_values(section, target, template):
    """The value of each parameter. SAM CLI keeps the deployed value if the section does not set one."""
    defaults = {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()}
    deployed = {name: value for name, value in target.parameters.items() if name in defaults}
    return defaults | deployed | section.overrides


def show(section, target, template, values):
    """Prints the target and the parameters."""
    print(f"Account  {target.account}\nRegion   {target.region}\nStack    {target.stack} ({target.status or 'new'})")
    for name, parameter in template["Parameters"].items():
        before = target.parameters.get(name, values[name])
        if values[name] != str(parameter["Default"]) or before != values[name]:
            print(f"  {name} = {values[name]}" + (f"  (deployed: {before})" if before != values[name] else ""))
    print("Every other parameter has its default.")
    for warning in warnings(values):
        print(f"WARNING  {warning}")


def check_machines(template, architecture):
    """Exits if a function was built for another architecture."""
    for resource in template["Resources"].values():
        if not isinstance(resource, dict) or resource["Type"] != "AWS::Serverless::Function":
            continue
        bootstrap = Path(resource["Properties"]["CodeUri"], "bootstrap")
        header = bootstrap.open("rb").read(20) if bootstrap.exists() else b""
        machine = MACHINES.get(int.from_bytes(header[18:20], "little")) if header.startswith(b"\x7fELF") else None
        if machine != architecture:
            sys.exit(f"{bootstrap} is for {machine or 'an unknown architecture'}, and Architecture is {architecture}. "
                     f"Run this, then make deploy again: make build BUILD_FLAGS={build_flag(architecture)}")


def build_flag(architecture):
    return "--arm64" if architecture == "arm64" else "--x86-64"


def sam_deploy(section, target, overrides):
    """Runs `sam deploy` of the section with these parameters."""
    command = ["sam", "deploy", "--config-env", section.name, "--stack-name", target.stack, "--region", target.region]
    command += ["--no-fail-on-empty-changeset"]
    if overrides:
        quoted = {name: value.replace('"', '\\"') for name, value in overrides.items()}
        command += ["--parameter-overrides", *(f'{name}="{value}"' for name, value in quoted.items())]
    done = subprocess.run(command, check=False)
    if done.returncode:
        target.read()
        target.check_status()
        sys.exit(done.returncode)


def deploy(section, guided):
    target = Target(section.settings)
    if guided:
        target = ask_for_stack(section, target)
    target.check_status()
    template = yaml_parse(Path("template.yaml").read_text())
    if guided:
        ask_for_parameters(section, target, template)
    values = current_values(section, target, template)
    if found := list(problems(template, section.overrides, values)):
        sys.exit("\n".join(found))
    show(section, target, template, values)
    if input("Deploy? [y/N] ").strip().lower() != "y":
        sys.exit("Nothing was deployed.")
    if guided:
        section.save()
    subprocess.run(["make", "build", f"BUILD_FLAGS={build_flag(values['Architecture'])}"], check=True)
    check_machines(template, values["Architecture"])
    if target.status is None and values["DeletionProtection"] == "ACTIVE":
        # A rollback can't delete a protected pool, and would leave it behind.
        print("Deploys twice: the pool gets its deletion protection in the second deployment.", flush=True)
        sam_deploy(section, target, section.overrides | {"DeletionProtection": "INACTIVE"})
    sam_deploy(section, target, section.overrides)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("section")
    parser.add_argument("--guided", action="store_true")
    given = parser.parse_args()
    os.chdir(Path(__file__).resolve().parent.parent)
    with users.legible_errors():
        try:
            deploy(Section(given.section), given.guided)
        except ProfileNotFound as error:
            sys.exit(f"{error}: set AWS_PROFILE, or `profile` in samconfig.toml")
        except subprocess.CalledProcessError as error:
            sys.exit(error.returncode)


if __name__ == "__main__":
    main()
