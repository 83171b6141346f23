"""The behaviour of AWS that this package adds to MiniStack: run by `crates/e2e/tests/embedded_aws.rs`.

Every test makes its own pools. Their triggers log the events that they get.
"""

import ast
import base64
import json
import os
import re
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import urlopen
from uuid import UUID, uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# Parameters go out as they are, for AWS to find fault with.
CONFIG = Config(parameter_validation=False, retries={"total_max_attempts": 1}, max_pool_connections=50)
apigateway, cognito, cloudformation, iam, logs, sns, wafv2 = (
    boto3.client(service, config=CONFIG)
    for service in ("apigateway", "cognito-idp", "cloudformation", "iam", "logs", "sns", "wafv2")
)
PASSWORD = "Sup3r!secret"
CODE, RESET_CODE = "123456", "654321"
TRIGGERS = (
    "PreSignUp",
    "PostConfirmation",
    "CustomMessage",
    "DefineAuthChallenge",
    "CreateAuthChallenge",
    "VerifyAuthChallengeResponse",
)
FUNCTION = """
import json, os

def handler(event, context):
    print("EVENT " + json.dumps(event))
    source, request, response = event["triggerSource"], event["request"], event["response"]
    if source == os.environ["FAILS"]:
        raise Exception("not this time")
    if source == os.environ["FORGETS"]:
        return {"response": response}
    if source == "PreSignUp_SignUp" and request["userAttributes"].get("email", "").startswith("auto."):
        response["autoConfirmUser"] = True
    if source.startswith("CustomMessage"):
        response["emailSubject"], response["emailMessage"] = "From a trigger", "{####} from a trigger"
    if source.startswith("DefineAuthChallenge"):
        answers = [answer["challengeResult"] for answer in request["session"]]
        response["issueTokens"] = answers[-1:] == [True]
        response["failAuthentication"] = answers == 3 * [False]
        response["challengeName"] = "CUSTOM_CHALLENGE"
    if source.startswith("CreateAuthChallenge"):
        response["publicChallengeParameters"] = {"hint": "of the day"}
        response["privateChallengeParameters"] = {"answer": "right"}
    if source.startswith("VerifyAuthChallengeResponse"):
        response["answerCorrect"] = request["challengeAnswer"] == request["privateChallengeParameters"]["answer"]
    return event
"""


def service_role(service, external_id=None, publishes=False):
    """The properties of a role that this service may assume."""
    condition = {"StringEquals": {"sts:ExternalId": external_id}} if external_id else {}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}, "Condition": condition}
    publish = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
    policies = [{"PolicyName": "publish", "PolicyDocument": {"Statement": [publish]}}] if publishes else []
    return {"AssumeRolePolicyDocument": {"Statement": [trust]}, "Policies": policies}


def settled(stack):
    """The stack's description once its operation has ended."""
    while True:
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if not described["StackStatus"].endswith("_IN_PROGRESS"):
            return described
        time.sleep(0.1)


def resource(kind, properties, **more):
    return {"Type": f"AWS::{kind}", "Properties": properties} | more


class Pool:
    """A pool and a client with these properties and triggers."""

    def __init__(self, pool=(), client=(), triggers=TRIGGERS, fails="", forgets="", allowed=True):
        self.stack = f"strict-{uuid4().hex[:12]}"
        function = {"Fn::GetAtt": ["Function", "Arn"]}
        environment = {"Variables": {"FAILS": fails, "FORGETS": forgets}}
        permission = {
            "Action": "lambda:InvokeFunction",
            "FunctionName": function,
            "Principal": "cognito-idp.amazonaws.com",
            "SourceArn": {"Fn::GetAtt": ["Pool", "Arn"]},
        }
        usual = {
            "UsernameAttributes": ["email", "phone_number"],
            "AutoVerifiedAttributes": ["email", "phone_number"],
            "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email", "phone_number"]},
            "UsernameConfiguration": {"CaseSensitive": False},
            "Schema": [{"Name": "role", "AttributeDataType": "String", "Mutable": False}],
            "LambdaConfig": {trigger: function for trigger in triggers},
        }
        usual_of_client = {
            "UserPoolId": {"Ref": "Pool"},
            "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        }
        resources = {
            "Role": resource("IAM::Role", service_role("lambda.amazonaws.com")),
            "Function": resource(
                "Lambda::Function",
                {
                    "Code": {"ZipFile": FUNCTION},
                    "Environment": environment,
                    "Handler": "index.handler",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Runtime": "python3.13",
                },
            ),
            "Pool": resource("Cognito::UserPool", usual | dict(pool)),
            "Client": resource("Cognito::UserPoolClient", usual_of_client | dict(client)),
        }
        if allowed:
            resources["Permission"] = resource("Lambda::Permission", permission)
        cloudformation.create_stack(
            StackName=self.stack,
            TemplateBody=json.dumps({"Resources": resources}),
            Capabilities=["CAPABILITY_IAM"],
        )
        described = settled(self.stack)
        assert described["StackStatus"] == "CREATE_COMPLETE", described
        made = cloudformation.describe_stack_resources(StackName=self.stack)["StackResources"]
        made = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in made}
        self.id, self.client, self.function = made["Pool"], made["Client"], made["Function"]

    def events(self):
        """The events that the triggers got so far."""
        try:
            lines = logs.filter_log_events(logGroupName=f"/aws/lambda/{self.function}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        texts = (line["message"].partition("EVENT ")[2] for line in lines)
        return [json.loads(text.splitlines()[0]) for text in texts if text]

    def sources(self):
        """The sources of those events."""
        return [event["triggerSource"] for event in self.events()]

    def admin(self, operation, **more):
        return getattr(cognito, f"admin_{operation}")(UserPoolId=self.id, **more)

    def user(self, name):
        """The user's attributes and status."""
        user = self.admin("get_user", Username=name)
        return {each["Name"]: each["Value"] for each in user["UserAttributes"]} | {"status": user["UserStatus"]}

    def sign_up(self, name=None, attributes=(), **more):
        name = name or f"{uuid4().hex}@example.com"
        attributes = [{"Name": key, "Value": value} for key, value in dict(attributes).items()]
        cognito.sign_up(
            ClientId=self.client, Username=name, Password=PASSWORD, UserAttributes=attributes, **more
        )
        return name

    def confirmed(self, name=None):
        """Someone new who can sign in."""
        name = self.sign_up(name)
        cognito.confirm_sign_up(ClientId=self.client, Username=name, ConfirmationCode=CODE)
        return name

    def tokens(self, name):
        parameters = {"USERNAME": name, "PASSWORD": PASSWORD}
        answer = cognito.initiate_auth(
            ClientId=self.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
        )
        return answer["AuthenticationResult"]

    def refresh(self, token):
        return cognito.get_tokens_from_refresh_token(ClientId=self.client, RefreshToken=token)["AuthenticationResult"]

    def challenge(self, name):
        return cognito.initiate_auth(
            ClientId=self.client, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": name}
        )

    def answer(self, name, session, answer="right"):
        return cognito.respond_to_auth_challenge(
            ClientId=self.client,
            ChallengeName="CUSTOM_CHALLENGE",
            Session=session,
            ChallengeResponses={"USERNAME": name, "ANSWER": answer},
        )


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


class Test(unittest.TestCase):
    @contextmanager
    def refused(self, code, text=""):
        """Asserts that the block fails with this code, and a message that contains this text."""
        with self.assertRaises(ClientError) as caught:
            yield
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], code, error)
        self.assertIn(text, error["Message"])


class Sources(Test):
    def test_every_change_names_its_source(self):
        named = r"(guide|model|authorization reference): ?\S|\bAPI_[A-Z]\w+"
        source = re.compile(named + r"|[\w.-]+/[\w.-]+#[0-9]+|Not AWS's")
        changes = 0

        def check(node, texts=()):
            nonlocal changes
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                # A factory speaks for the functions that it makes.
                texts = (*texts, ast.get_docstring(node) or "")
                decorators = [each.func for each in node.decorator_list if isinstance(each, ast.Call)]
                if any(isinstance(each, ast.Name) and each.id == "around" for each in decorators):
                    changes += 1
                    self.assertRegex(" ".join(texts), source, f"{path.name}, {node.name}")
            for child in ast.iter_child_nodes(node):
                check(child, texts)

        for path in Path(__file__).parent.rglob("*.py"):
            check(ast.parse(path.read_text()))
        self.assertGreater(changes, 40)


class Callers(Test):
    def answer(self, method, path, **headers):
        """The status and the text of the answer to a request."""
        endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc
        connection = HTTPConnection(endpoint)
        try:
            connection.request(method, path, b"{}", {"Host": endpoint} | headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def test_callers_of_other_hosts_are_rejected(self):
        for path in ("/", "/_ministack/health", "/_aws/execute-api/api/stage/route"):
            for host in ("attacker.example", "attacker.example:4566", "127.0.0.1.attacker.example", "user@127.0.0.1", ""):
                status, text = self.answer("POST", path, Host=host)
                self.assertEqual((status, "127.0.0.1 and localhost only" in text), (403, True), (path, host))
        for host in ("127.0.0.1", "localhost:1"):
            self.assertEqual(self.answer("GET", "/_ministack/health", Host=host)[0], 200, host)

    def test_pages_of_other_origins_reach_deployed_apis_only(self):
        own = os.environ["AWS_ENDPOINT_URL"]
        for origin in ("https://attacker.example", "http://127.0.0.1:1", "http://localhost", "null"):
            for method in ("GET", "POST", "OPTIONS", "PUT"):
                for path in ("/", "/_ministack/health", "/_ministack/config", "/_aws/other", "/2015-03-31/functions"):
                    status, text = self.answer(method, path, Origin=origin)
                    self.assertEqual((status, "pages of other origins" in text), (403, True), (method, path, origin))
            # There is no such API.
            status, text = self.answer("POST", "/_aws/execute-api/api/stage/route", Origin=origin)
            self.assertNotIn("pages of other origins", text, (status, origin))
        self.assertEqual(self.answer("GET", "/_ministack/health", Origin=own)[0], 200)

    def test_well_known_keys_are_rejected(self):
        for key in ("test", "000000000000", "none"):
            stranger = boto3.client("cognito-idp", config=CONFIG, aws_access_key_id=key, aws_secret_access_key="test")
            with self.refused("UnrecognizedClientException"):
                stranger.list_user_pools(MaxResults=1)


class Triggers(Test):
    def test_every_confirmation_calls_post_confirmation(self):
        pool = Pool()
        for name, sources in (
            (f"auto.{uuid4().hex}@example.com", ["PreSignUp_SignUp", "PostConfirmation_ConfirmSignUp"]),
            (None, ["PreSignUp_SignUp", "CustomMessage_SignUp", "PostConfirmation_ConfirmSignUp"]),
        ):
            before = len(pool.events())
            if name:
                pool.sign_up(name)
            else:
                name = pool.confirmed()
            events = pool.events()[before:]
            self.assertEqual([event["triggerSource"] for event in events], sources)
            user = pool.user(name)
            self.assertEqual(events[-1]["userName"], user["sub"])
            attributes = events[-1]["request"]["userAttributes"]
            self.assertEqual(attributes["cognito:user_status"], "CONFIRMED")
            self.assertEqual(attributes["email"], name)

        by_administrator = pool.sign_up()
        pool.admin("confirm_sign_up", Username=by_administrator)
        self.assertEqual(pool.sources()[-1], "PostConfirmation_ConfirmSignUp")
        cognito.forgot_password(ClientId=pool.client, Username=name)
        cognito.confirm_forgot_password(
            ClientId=pool.client, Username=name, ConfirmationCode=RESET_CODE, Password=PASSWORD
        )
        self.assertEqual(
            pool.sources()[-2:], ["CustomMessage_ForgotPassword", "PostConfirmation_ConfirmForgotPassword"]
        )

    def test_admin_create_user_calls_only_pre_sign_up(self):
        pool = Pool()
        pool.admin("create_user", Username="made@example.com", MessageAction="SUPPRESS")
        [event] = pool.events()
        self.assertEqual(event["triggerSource"], "PreSignUp_AdminCreateUser")
        self.assertEqual(event["userName"], pool.user("made@example.com")["sub"])
        refusing = Pool(fails="PreSignUp_AdminCreateUser")
        with self.refused("UserLambdaValidationException"):
            refusing.admin("create_user", Username="made@example.com", MessageAction="SUPPRESS")
        self.assertEqual(cognito.list_users(UserPoolId=refusing.id)["Users"], [])

    def test_failed_post_confirmation_leaves_the_user_confirmed(self):
        pool = Pool(fails="PostConfirmation_ConfirmSignUp")
        failure = "PostConfirmation failed with error not this time."
        name, auto = pool.sign_up(), f"auto.{uuid4().hex}@example.com"
        with self.refused("UserLambdaValidationException", failure):
            cognito.confirm_sign_up(ClientId=pool.client, Username=name, ConfirmationCode=CODE)
        with self.refused("UserLambdaValidationException", failure):
            pool.sign_up(auto)
        for each in (name, auto):
            self.assertEqual(pool.user(each)["status"], "CONFIRMED")

    def test_pre_sign_up_gets_the_attributes_as_sent(self):
        pool = Pool()
        pool.sign_up(
            "sent@example.com",
            ClientMetadata={"from": "here"},
            ValidationData=[{"Name": "captcha", "Value": "42"}],
        )
        request = pool.events()[0]["request"]
        self.assertEqual(request["userAttributes"], {"email": "sent@example.com"})
        self.assertEqual(request["clientMetadata"], {"from": "here"})
        self.assertEqual(request["validationData"], {"captcha": "42"})

    def test_trigger_must_return_its_event(self):
        with self.refused("InvalidLambdaResponseException", "Unrecognizable lambda output"):
            Pool(forgets="PreSignUp_SignUp").sign_up()
        pool = Pool(forgets="DefineAuthChallenge_Authentication")
        with self.refused("InvalidLambdaResponseException", "Unrecognizable lambda output"):
            pool.challenge(pool.confirmed())

    def test_every_code_calls_custom_message(self):
        pool = Pool()
        for name in (None, f"+34{uuid4().int % 10**11:011}"):
            name = pool.sign_up(name)
            self.assertEqual(pool.sources()[-1], "CustomMessage_SignUp")
            cognito.resend_confirmation_code(ClientId=pool.client, Username=name)
            self.assertEqual(pool.sources()[-1], "CustomMessage_ResendCode")
        failing = Pool(fails="CustomMessage_SignUp")
        with self.refused("UserLambdaValidationException", "CustomMessage failed with error not this time."):
            failing.sign_up()

    def test_only_ses_sends_a_triggers_text(self):
        identity = "arn:aws:ses:us-east-1:000000000000:identity/example.com"
        for settings, subject in (
            ({"EmailSendingAccount": "DEVELOPER", "SourceArn": identity}, "From a trigger"),
            ({}, "From the pool"),
        ):
            template = {"EmailSubject": "From the pool", "EmailMessage": "{####}"}
            pool = Pool(pool={"EmailConfiguration": settings, "VerificationMessageTemplate": template})
            name = pool.sign_up()
            with urlopen(f"{sns.meta.endpoint_url}/_ministack/ses/messages") as response:
                [messages] = json.load(response)["messages"].values()
            subjects = [message["Subject"] for message in messages if message["To"] == [name]]
            self.assertEqual(subjects, [subject])

    def test_pool_calls_only_permitted_functions(self):
        with self.refused("UnexpectedLambdaException", "AccessDeniedException"):
            Pool(allowed=False).sign_up()

    def test_challenges_name_the_sub_or_an_invented_name(self):
        pool = Pool(client={"PreventUserExistenceErrors": "ENABLED"})
        known, unknown = pool.confirmed(), f"{uuid4().hex}@example.com"
        names = {}
        for name in (known, unknown, unknown.upper()):
            before = len(pool.events())
            asked = pool.challenge(name)
            pool.answer(name, asked["Session"], "wrong")
            events = [event for event in pool.events()[before:] if "AuthChallenge" in event["triggerSource"]]
            self.assertEqual(len(events), 5)
            names[name] = asked["ChallengeParameters"]["USERNAME"]
            self.assertEqual(asked["ChallengeParameters"]["hint"], "of the day")
            for event in events:
                self.assertEqual(event["userName"], names[name])
                self.assertEqual(event["request"]["userNotFound"], name != known)
        self.assertEqual(names[known], pool.user(known)["sub"])
        self.assertEqual(UUID(names[unknown]).version, 3)
        self.assertEqual(names[unknown], names[unknown.upper()])
        with self.refused("NotAuthorizedException", "Incorrect username or password."):
            pool.answer(unknown, pool.challenge(unknown)["Session"])
        with self.refused("UserNotFoundException"):
            Pool().challenge(unknown)


class Sessions(Test):
    def test_wrong_answer_gets_a_new_session(self):
        pool = Pool()
        name = pool.confirmed()
        first = pool.challenge(name)["Session"]
        second = pool.answer(name, first, "wrong")["Session"]
        self.assertNotEqual(first, second)
        with self.refused("NotAuthorizedException", "Invalid session for the user."):
            pool.answer(name, first)
        self.assertIn("AuthenticationResult", pool.answer(name, second))
        with self.refused("NotAuthorizedException", "Invalid session for the user."):
            pool.answer(name, second)

    def test_session_belongs_to_one_user(self):
        pool = Pool()
        name, other = pool.confirmed(), pool.confirmed()
        session = pool.challenge(name)["Session"]
        for stranger in (other, "nobody@example.com"):
            with self.refused("NotAuthorizedException", "Invalid session for the user."):
                pool.answer(stranger, session)
        self.assertIn("AuthenticationResult", pool.answer(name.upper(), session))

    def test_concurrent_answers_accept_only_one(self):
        pool = Pool()
        name = pool.confirmed()
        session = pool.challenge(name)["Session"]

        def answer(_):
            try:
                pool.answer(name, session)
                return "taken"
            except ClientError as error:
                return error.response["Error"]["Message"]

        with ThreadPoolExecutor(20) as threads:
            answers = list(threads.map(answer, range(20)))
        self.assertEqual(answers.count("taken"), 1, answers)
        self.assertEqual(set(answers), {"taken", "Invalid session for the user."})

    def test_session_expires(self):
        pool = Pool(client={"AuthSessionValidity": 0.01})
        name = pool.confirmed()
        session = pool.challenge(name)["Session"]
        self.assertIn("AuthenticationResult", pool.answer(name, session))
        session = pool.challenge(name)["Session"]
        time.sleep(0.7)
        with self.refused("NotAuthorizedException", "session is expired"):
            pool.answer(name, session)

    def test_failed_trigger_ends_the_session(self):
        pool = Pool(fails="VerifyAuthChallengeResponse_Authentication")
        name = pool.confirmed()
        session = pool.challenge(name)["Session"]
        with self.refused("UserLambdaValidationException", "VerifyAuthChallengeResponse failed with error not this"):
            pool.answer(name, session)
        with self.refused("NotAuthorizedException", "Invalid session for the user."):
            pool.answer(name, session)

    def test_new_password_needs_the_session_that_required_it(self):
        pool = Pool()
        for name in ("first@example.com", "second@example.com"):
            pool.admin("create_user", Username=name, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
        asked = cognito.initiate_auth(
            ClientId=pool.client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "first@example.com", "PASSWORD": PASSWORD},
        )

        def answer(name, session, challenge="NEW_PASSWORD_REQUIRED"):
            return cognito.respond_to_auth_challenge(
                ClientId=pool.client,
                ChallengeName=challenge,
                Session=session,
                ChallengeResponses={"USERNAME": name, "NEW_PASSWORD": PASSWORD + "2"},
            )

        for name, session, challenge in (
            ("first@example.com", "x" * 44, "NEW_PASSWORD_REQUIRED"),
            ("second@example.com", asked["Session"], "NEW_PASSWORD_REQUIRED"),
            ("first@example.com", asked["Session"], "MFA_SETUP"),
        ):
            with self.refused("NotAuthorizedException", "Invalid session for the user."):
                answer(name, session, challenge)
        with self.refused("NotAuthorizedException", "Invalid session for the user."):
            pool.admin(
                "respond_to_auth_challenge",
                ClientId=pool.client,
                ChallengeName="NEW_PASSWORD_REQUIRED",
                Session="x" * 44,
                ChallengeResponses={"USERNAME": "first@example.com", "NEW_PASSWORD": PASSWORD},
            )
        self.assertIn("AuthenticationResult", answer("first@example.com", asked["Session"]))


class Attributes(Test):
    def test_sign_up_writes_only_writable_attributes(self):
        pool = Pool(client={"WriteAttributes": ["email", "custom:role"]})
        name = pool.sign_up(attributes={"custom:role": "User"})
        self.assertEqual(pool.user(name)["custom:role"], "User")
        unlisted = Pool()
        for target, attribute in (
            (pool, "name"),
            (pool, "phone_number"),
            (unlisted, "custom:role"),
            (unlisted, "email_verified"),
        ):
            with self.refused("NotAuthorizedException", "A client attempted to write unauthorized attribute"):
                target.sign_up(attributes={attribute: "+34600000000"})
        unheard = [{"Name": "custom:unheard", "Value": "of"}]
        for sign_up in (
            lambda: pool.sign_up(attributes={"custom:unheard": "of"}),
            lambda: pool.admin("create_user", Username="a@example.com", UserAttributes=unheard),
        ):
            with self.refused("InvalidParameterException", "custom:unheard: Attribute does not exist in the schema."):
                sign_up()

    def test_immutable_attribute_is_written_once(self):
        pool = Pool(client={"WriteAttributes": ["email", "custom:role"]})
        name = pool.confirmed()
        attributes = [{"Name": "custom:role", "Value": "Admin"}]
        with self.refused("InvalidParameterException", "user.custom:role: Attribute cannot be updated."):
            pool.admin("update_user_attributes", Username=name, UserAttributes=attributes)
        with self.refused("InvalidParameterException", "user.custom:role: Attribute cannot be updated."):
            cognito.update_user_attributes(
                AccessToken=pool.tokens(name)["AccessToken"], UserAttributes=attributes
            )

    def test_new_contact_waits_for_its_code(self):
        pool = Pool()
        name, renewed = pool.confirmed(), f"{uuid4().hex}@example.com"
        access = pool.tokens(name)["AccessToken"]
        attributes = [{"Name": "email", "Value": renewed}, {"Name": "name", "Value": "Ana"}]
        sent = cognito.update_user_attributes(AccessToken=access, UserAttributes=attributes)
        self.assertEqual(sent["CodeDeliveryDetailsList"][0]["AttributeName"], "email")
        self.assertEqual(pool.sources()[-1], "CustomMessage_UpdateUserAttribute")
        user = pool.user(name)
        self.assertEqual((user["email"], user["email_verified"], user["name"]), (name, "true", "Ana"))

        def verify(code):
            cognito.verify_user_attribute(AccessToken=access, AttributeName="email", Code=code)

        with self.refused("CodeMismatchException"):
            verify("000000")
        verify(CODE)
        self.assertEqual(pool.user(user["sub"])["email"], renewed)
        with self.refused("ExpiredCodeException"):
            verify(CODE)

    def test_blank_value_deletes_without_a_trigger(self):
        pool = Pool()
        for delete in (
            lambda access: cognito.update_user_attributes(
                AccessToken=access, UserAttributes=[{"Name": "email", "Value": ""}]
            ),
            lambda access: cognito.delete_user_attributes(AccessToken=access, UserAttributeNames=["email"]),
        ):
            name = pool.confirmed()
            user, access = pool.user(name), pool.tokens(name)["AccessToken"]
            before = pool.sources()
            delete(access)
            self.assertNotIn("email", pool.user(user["sub"]))
            self.assertEqual(pool.sources(), before)
        read_only = Pool(client={"WriteAttributes": ["name"]})
        access = read_only.tokens(read_only.confirmed())["AccessToken"]
        with self.refused("NotAuthorizedException", "unauthorized attribute"):
            cognito.delete_user_attributes(AccessToken=access, UserAttributeNames=["email"])


class Accounts(Test):
    def test_usernames_ignore_case(self):
        pool = Pool()
        name = pool.confirmed()
        self.assertIn("AccessToken", pool.tokens(name.upper()))
        with self.refused("UsernameExistsException"):
            pool.sign_up(name.upper())
        sensitive = Pool(pool={"UsernameConfiguration": {"CaseSensitive": True}})
        with self.refused("UserNotFoundException"):
            sensitive.tokens(sensitive.confirmed().upper())

    def test_code_verifies_the_contact_it_was_sent_to(self):
        pool = Pool()
        self.assertEqual(pool.user(pool.confirmed())["email_verified"], "true")
        phone = pool.confirmed(f"+34{uuid4().int % 10**11:011}")
        self.assertEqual(pool.user(phone)["phone_number_verified"], "true")
        by_administrator = pool.sign_up()
        pool.admin("confirm_sign_up", Username=by_administrator)
        self.assertNotIn("email_verified", pool.user(by_administrator))

    def test_reset_needs_a_verified_contact(self):
        legacy, hiding = Pool(), Pool(client={"PreventUserExistenceErrors": "ENABLED"})
        for pool in (legacy, hiding):
            pool.admin("create_user", Username="made@example.com", MessageAction="SUPPRESS")
            with self.refused("NotAuthorizedException", "User password cannot be reset in the current state."):
                cognito.forgot_password(ClientId=pool.client, Username="made@example.com")
        disabled = legacy.confirmed()
        legacy.admin("disable_user", Username=disabled)
        with self.refused("NotAuthorizedException", "User is disabled."):
            cognito.forgot_password(ClientId=legacy.client, Username=disabled)
        unverified = legacy.sign_up()
        with self.refused("InvalidParameterException", "no registered/verified email or phone_number"):
            cognito.forgot_password(ClientId=legacy.client, Username=unverified)
        sent = cognito.forgot_password(ClientId=hiding.client, Username=hiding.sign_up())
        self.assertIn("Destination", sent["CodeDeliveryDetails"])
        self.assertNotIn("CustomMessage_ForgotPassword", hiding.sources())

    def test_confirmed_user_gets_no_new_code(self):
        legacy, hiding = Pool(), Pool(client={"PreventUserExistenceErrors": "ENABLED"})
        with self.refused("InvalidParameterException", "User is already confirmed."):
            cognito.resend_confirmation_code(ClientId=legacy.client, Username=legacy.confirmed())
        cognito.resend_confirmation_code(ClientId=hiding.client, Username=hiding.confirmed())
        self.assertNotIn("CustomMessage_ResendCode", hiding.sources())

    def test_required_reset_is_shown_only_with_legacy(self):
        legacy, hiding = Pool(), Pool(client={"PreventUserExistenceErrors": "ENABLED"})
        for pool, code in ((legacy, "PasswordResetRequiredException"), (hiding, "NotAuthorizedException")):
            name = pool.confirmed()
            pool.admin("reset_user_password", Username=name)
            with self.refused(code):
                pool.tokens(name)

    def test_requests_follow_the_service_model(self):
        pool = Pool()
        name = pool.confirmed()
        with self.refused(
            "InvalidParameterException",
            "1 validation error detected: Value at 'session' failed to satisfy constraint: "
            "Member must have length greater than or equal to 20",
        ):
            pool.answer(name, "short")
        with self.refused("InvalidParameterException", "Value null at 'accessToken'"):
            cognito.global_sign_out()
        with self.refused("InvalidParameterException", "Value 'a b' at 'confirmationCode' failed to satisfy"):
            cognito.confirm_sign_up(ClientId=pool.client, Username=name, ConfirmationCode="a b")
        with self.refused("InvalidParameterException", "Member must satisfy enum value set"):
            cognito.initiate_auth(ClientId=pool.client, AuthFlow="MAGIC")
        for password in (" Sup3r!secret", "Sup3r!secret "):
            with self.refused("InvalidParameterException", "Value at 'password' failed to satisfy"):
                cognito.sign_up(ClientId=pool.client, Username="a@example.com", Password=password)
        cognito.sign_up(ClientId=pool.client, Username="a@example.com", Password="Sup3r! secret")
        with self.refused("InvalidParameterException", "Value null at 'userAttributes.1.member.name'"):
            cognito.sign_up(
                ClientId=pool.client, Username="a@example.com", Password=PASSWORD, UserAttributes=[{"Value": "a"}]
            )


ROTATES = {
    "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 1},
    "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
}


class Tokens(Test):
    def test_rotated_token_works_for_its_grace_period(self):
        pool = Pool(client=ROTATES)
        first = pool.tokens(pool.confirmed())["RefreshToken"]
        second = pool.refresh(first)["RefreshToken"]
        self.assertNotEqual(first, second)
        third = pool.refresh(first)["RefreshToken"]
        time.sleep(1.1)
        with self.refused("RefreshTokenReuseException"):
            pool.refresh(first)
        for token in (second, third):
            self.assertIn("RefreshToken", pool.refresh(token))

    def test_refresh_without_rotation_returns_no_new_token(self):
        pool = Pool()
        token = pool.tokens(pool.confirmed())["RefreshToken"]
        for _ in range(2):
            self.assertNotIn("RefreshToken", pool.refresh(token))

    def test_rotation_does_not_extend_a_session(self):
        validity = {"RefreshTokenValidity": 3, "TokenValidityUnits": {"RefreshToken": "seconds"}}
        pool = Pool(client=ROTATES | validity)
        token = pool.tokens(pool.confirmed())["RefreshToken"]
        time.sleep(1.5)
        token = pool.refresh(token)["RefreshToken"]
        time.sleep(1.6)
        with self.refused("NotAuthorizedException", "Refresh Token has expired"):
            pool.refresh(token)

    def test_refresh_keeps_auth_time(self):
        for client in ({}, ROTATES):
            pool = Pool(client=client)
            first = pool.tokens(pool.confirmed())
            time.sleep(1.1)
            renewed = pool.refresh(first["RefreshToken"])
            again = pool.refresh(renewed.get("RefreshToken", first["RefreshToken"]))
            for kind in ("AccessToken", "IdToken"):
                for tokens in (renewed, again):
                    self.assertEqual(claims(tokens[kind])["auth_time"], claims(first[kind])["auth_time"])
                    self.assertGreater(claims(tokens[kind])["iat"], claims(first[kind])["iat"])

    def test_refresh_needs_an_enabled_flow(self):
        for client in (ROTATES, {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]}):
            pool = Pool(client=client)
            token = pool.tokens(pool.confirmed())["RefreshToken"]
            with self.refused("InvalidParameterException", "Auth flow not enabled"):
                cognito.initiate_auth(
                    ClientId=pool.client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": token}
                )
        with self.refused("InvalidParameterException", "ALLOW_REFRESH_TOKEN_AUTH"):
            cognito.create_user_pool_client(
                UserPoolId=pool.id,
                ClientName="both",
                ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"],
                RefreshTokenRotation={"Feature": "ENABLED"},
            )

    def test_revocation_ends_only_its_session(self):
        pool = Pool(client=ROTATES)
        name = pool.confirmed()
        first, other = pool.tokens(name), pool.tokens(name)
        renewed = pool.refresh(first["RefreshToken"])
        cognito.revoke_token(ClientId=pool.client, Token=renewed["RefreshToken"])
        for tokens in (first, renewed):
            with self.refused("NotAuthorizedException", "Refresh Token has been revoked"):
                pool.refresh(tokens["RefreshToken"])
            with self.refused("NotAuthorizedException", "Access Token has been revoked"):
                cognito.get_user(AccessToken=tokens["AccessToken"])
        cognito.get_user(AccessToken=other["AccessToken"])
        pool.refresh(other["RefreshToken"])

    def test_revocation_takes_only_the_clients_refresh_tokens(self):
        pool = Pool()
        name = pool.confirmed()
        tokens = pool.tokens(name)
        stranger = cognito.create_user_pool_client(UserPoolId=pool.id, ClientName="stranger")
        stranger = stranger["UserPoolClient"]["ClientId"]
        forged = tokens["RefreshToken"][:-8] + "AAAAAAAA"
        for client, token, code in (
            (pool.client, tokens["AccessToken"], "UnsupportedTokenTypeException"),
            (pool.client, tokens["IdToken"], "UnsupportedTokenTypeException"),
            (pool.client, "nonsense", "InvalidParameterException"),
            (pool.client, forged, "InvalidParameterException"),
            (stranger, tokens["RefreshToken"], "UnauthorizedException"),
        ):
            with self.refused(code):
                cognito.revoke_token(ClientId=client, Token=token)
        pool.refresh(tokens["RefreshToken"])
        unable = Pool(client={"EnableTokenRevocation": False})
        with self.refused("UnsupportedOperationException"):
            cognito.revoke_token(ClientId=unable.client, Token=unable.tokens(unable.confirmed())["RefreshToken"])

    def test_sign_out_ends_every_session_but_reset_none(self):
        pool = Pool()
        name = pool.confirmed()

        def reset(_):
            cognito.forgot_password(ClientId=pool.client, Username=name)
            cognito.confirm_forgot_password(
                ClientId=pool.client, Username=name, ConfirmationCode=RESET_CODE, Password=PASSWORD
            )

        for sign_out, ends in (
            (lambda tokens: cognito.global_sign_out(AccessToken=tokens["AccessToken"]), True),
            (lambda _: pool.admin("user_global_sign_out", Username=name), True),
            (reset, False),
        ):
            sessions = [pool.tokens(name), pool.tokens(name)]
            sign_out(sessions[0])
            for tokens in sessions:
                for use in (
                    lambda tokens: pool.refresh(tokens["RefreshToken"]),
                    lambda tokens: cognito.get_user(AccessToken=tokens["AccessToken"]),
                ):
                    if ends:
                        with self.refused("NotAuthorizedException", "has been revoked"):
                            use(tokens)
                    else:
                        use(tokens)
        for token in (tokens["RefreshToken"], tokens["IdToken"], "nonsense"):
            with self.refused("NotAuthorizedException", "Invalid Access Token"):
                cognito.global_sign_out(AccessToken=token)

    def test_user_operations_need_a_valid_access_token(self):
        validity = {"AccessTokenValidity": 2, "TokenValidityUnits": {"AccessToken": "seconds"}}
        pool, hasty = Pool(), Pool(client=validity)
        name = pool.confirmed()
        good, expired = pool.tokens(name), hasty.tokens(hasty.confirmed())["AccessToken"]
        revoked = pool.tokens(name)
        cognito.revoke_token(ClientId=pool.client, Token=revoked["RefreshToken"])
        gone = pool.tokens(deleted := pool.confirmed())["AccessToken"]
        pool.admin("delete_user", Username=deleted)
        forged = good["AccessToken"][:-8] + "AAAAAAAA"
        time.sleep(2.1)
        invalid, over = "NotAuthorizedException", "UserNotFoundException"
        for token, code, text in (
            ("nonsense", invalid, "Invalid Access Token"),
            (good["IdToken"], invalid, "Invalid Access Token"),
            (good["RefreshToken"], invalid, "Invalid Access Token"),
            (forged, invalid, "Could not verify signature"),
            (expired, invalid, "Access Token has expired"),
            (revoked["AccessToken"], invalid, "Access Token has been revoked"),
            (gone, over, "User does not exist."),
        ):
            for call in (
                lambda token: cognito.get_user(AccessToken=token),
                lambda token: cognito.change_password(
                    AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword=PASSWORD + "2"
                ),
                lambda token: cognito.global_sign_out(AccessToken=token),
                lambda token: cognito.delete_user(AccessToken=token),
            ):
                with self.refused(code, text):
                    call(token)
        self.assertEqual(pool.user(name)["status"], "CONFIRMED")
        pool.tokens(name)

    def test_password_change_needs_the_old_password(self):
        pool = Pool()
        name = pool.confirmed()
        token = pool.tokens(name)["AccessToken"]
        for old, new, code in (
            ("Wr0ng!secret", PASSWORD + "2", "NotAuthorizedException"),
            ("Wr0ng!secret", "weak-word", "NotAuthorizedException"),
            (PASSWORD, "weak-word", "InvalidPasswordException"),
            (PASSWORD, "", "InvalidParameterException"),
            (PASSWORD, "A1!" + 254 * "a", "InvalidParameterException"),
        ):
            with self.refused(code):
                cognito.change_password(AccessToken=token, PreviousPassword=old, ProposedPassword=new)
        session = pool.tokens(name)
        cognito.change_password(AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword=PASSWORD + "2")
        with self.refused("NotAuthorizedException", "Incorrect username or password."):
            pool.tokens(name)
        # By itself it ends no session.
        pool.refresh(session["RefreshToken"])
        cognito.get_user(AccessToken=session["AccessToken"])

    def test_get_user_returns_only_readable_attributes(self):
        for client, expected in (
            ({}, {"sub", "email", "email_verified"}),
            ({"ReadAttributes": ["email", "custom:role"]}, {"sub", "email", "custom:role"}),
            ({"ReadAttributes": ["phone_number"]}, {"sub"}),
        ):
            pool = Pool(client=client | {"WriteAttributes": ["email", "custom:role"]})
            name = pool.sign_up(attributes={"custom:role": "User"})
            cognito.confirm_sign_up(ClientId=pool.client, Username=name, ConfirmationCode=CODE)
            user = cognito.get_user(AccessToken=pool.tokens(name)["AccessToken"])
            self.assertEqual({each["Name"] for each in user["UserAttributes"]}, expected)

    def test_deleted_user_leaves_nothing(self):
        pool = Pool()
        name = pool.confirmed()
        cognito.create_group(UserPoolId=pool.id, GroupName="Admin")
        pool.admin("add_user_to_group", Username=name, GroupName="Admin")
        tokens, sub = pool.tokens(name), pool.user(name)["sub"]
        cognito.delete_user(AccessToken=tokens["AccessToken"])
        with self.refused("UserNotFoundException"):
            pool.user(name)
        with self.assertRaises(ClientError):
            pool.refresh(tokens["RefreshToken"])
        # A new user of the same name is another one.
        pool.confirmed(name)
        self.assertNotEqual(pool.user(name)["sub"], sub)
        with self.refused("UserNotFoundException"):
            cognito.get_user(AccessToken=tokens["AccessToken"])
        self.assertEqual(pool.admin("list_groups_for_user", Username=name)["Groups"], [])
        for _ in range(2):
            members = cognito.list_users_in_group(UserPoolId=pool.id, GroupName="Admin", Limit=1)
            self.assertEqual((members["Users"], members.get("NextToken")), ([], None))
            pool.admin("add_user_to_group", Username=(other := pool.confirmed()), GroupName="Admin")
            cognito.delete_user(AccessToken=pool.tokens(other)["AccessToken"])


class Pools(Test):
    def setUp(self):
        self.name = f"strict-{uuid4().hex[:12]}"

    def made(self, **more):
        return cognito.create_user_pool(PoolName=self.name, **more)["UserPool"]["Id"]

    def test_pool_without_its_sms_role_rejects_updates(self):
        properties = service_role("cognito-idp.amazonaws.com", "an-id", publishes=True)
        trust = json.dumps(properties["AssumeRolePolicyDocument"])
        role = iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        sms = {"SnsCallerArn": role, "ExternalId": "an-id"}
        with self.refused("InvalidSmsRoleAccessPolicyException"):
            self.made(SmsConfiguration=sms)
        policy = json.dumps(properties["Policies"][0]["PolicyDocument"])
        iam.put_role_policy(RoleName=self.name, PolicyName="publish", PolicyDocument=policy)
        with self.refused("InvalidSmsRoleTrustRelationshipException"):
            self.made(SmsConfiguration=sms | {"ExternalId": "another-id"})
        pool = self.made(SmsConfiguration=sms, DeletionProtection="ACTIVE")
        cognito.update_user_pool(UserPoolId=pool, DeletionProtection="ACTIVE")
        iam.delete_role_policy(RoleName=self.name, PolicyName="publish")
        iam.delete_role(RoleName=self.name)
        with self.refused("InvalidSmsRoleTrustRelationshipException", "Role does not have a trust relationship"):
            cognito.update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")

    def test_sms_role_trusts_only_its_pool(self):
        properties = service_role("cognito-idp.amazonaws.com", publishes=True)
        policy = json.dumps(properties["Policies"][0]["PolicyDocument"])
        [statement] = properties["AssumeRolePolicyDocument"]["Statement"]

        def trust(pools):
            condition = {"ArnLike": {"aws:SourceArn": f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{pools}"}}
            return json.dumps({"Statement": [statement | {"Condition": condition}]})

        role = iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=trust("*"))["Role"]["Arn"]
        iam.put_role_policy(RoleName=self.name, PolicyName="publish", PolicyDocument=policy)
        pool = self.made(SmsConfiguration={"SnsCallerArn": role})
        iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=trust(pool))
        cognito.update_user_pool(UserPoolId=pool)
        with self.refused("InvalidSmsRoleTrustRelationshipException"):
            self.made(SmsConfiguration={"SnsCallerArn": role})

    def test_domain_prefix_is_a_label_without_names_of_aws(self):
        pool = self.made()
        for domain in ("Auth", "-auth", "a.b", "a" * 64, "my-aws", "amazonia", "cognitory"):
            with self.refused("InvalidParameterException"):
                cognito.create_user_pool_domain(UserPoolId=pool, Domain=domain)
        cognito.create_user_pool_domain(UserPoolId=pool, Domain=self.name)

    def test_update_resets_omitted_settings(self):
        settings = {"AttributesRequireVerificationBeforeUpdate": ["email"]}
        pool = self.made(
            AutoVerifiedAttributes=["email"], UserAttributeUpdateSettings=settings, EmailVerificationSubject="Hello"
        )
        with self.refused("InvalidParameterException", "must exist in AutoVerifiedAttributes"):
            cognito.update_user_pool(UserPoolId=pool)
        cognito.update_user_pool(UserPoolId=pool, AutoVerifiedAttributes=["email"])
        described = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
        self.assertEqual(described["EmailVerificationSubject"], "")
        self.assertEqual(described["UserAttributeUpdateSettings"], settings)

        rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 60}
        client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="a", RefreshTokenRotation=rotation)
        self.assertEqual(client["UserPoolClient"]["RefreshTokenRotation"], rotation)
        client_id = client["UserPoolClient"]["ClientId"]
        updated = cognito.update_user_pool_client(UserPoolId=pool, ClientId=client_id, ClientName="a")
        self.assertEqual(updated["UserPoolClient"]["RefreshTokenRotation"], {"Feature": "DISABLED"})

    def test_protected_pool_rejects_deletion(self):
        pool = self.made(DeletionProtection="ACTIVE")
        with self.refused("InvalidParameterException", "Deletion protection must be inactivated first."):
            cognito.delete_user_pool(UserPoolId=pool)
        cognito.update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")
        cognito.create_user_pool_domain(UserPoolId=pool, Domain=self.name)
        with self.refused("InvalidParameterException", "It has a domain configured"):
            cognito.delete_user_pool(UserPoolId=pool)
        cognito.delete_user_pool_domain(UserPoolId=pool, Domain=self.name)
        cognito.delete_user_pool(UserPoolId=pool)

    def test_pool_has_one_domain(self):
        def template(domain):
            resources = {"Pool": resource("Cognito::UserPool", {})}
            if domain:
                properties = {"UserPoolId": {"Ref": "Pool"}, "Domain": domain}
                resources["Domain"] = resource("Cognito::UserPoolDomain", properties)
            return json.dumps({"Resources": resources})

        cloudformation.create_stack(StackName=self.name, TemplateBody=template(self.name))
        self.assertEqual(settled(self.name)["StackStatus"], "CREATE_COMPLETE")
        new = f"{self.name}-2"
        # The way out is an update without a domain.
        for domain, status in ((new, "UPDATE_ROLLBACK_COMPLETE"), (None, "UPDATE_COMPLETE"), (new, "UPDATE_COMPLETE")):
            cloudformation.update_stack(StackName=self.name, TemplateBody=template(domain))
            self.assertEqual(settled(self.name)["StackStatus"], status, domain)
        self.assertIn("UserPoolId", cognito.describe_user_pool_domain(Domain=new)["DomainDescription"])
        events = cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        reasons = " ".join(event.get("ResourceStatusReason", "") for event in events)
        self.assertIn("already has a domain configured", reasons)

    def test_rolled_back_stack_rejects_updates(self):
        for protection, status in (("INACTIVE", "ROLLBACK_COMPLETE"), ("ACTIVE", "ROLLBACK_FAILED")):
            name = f"{self.name}-{protection.lower()}"
            pool = resource(
                "Cognito::UserPool", {"DeletionProtection": protection}, DeletionPolicy="RetainExceptOnCreate"
            )
            group = {"UserPoolId": "us-east-1_nowhere", "GroupName": "a"}
            failing = resource("Cognito::UserPoolGroup", group, DependsOn="Pool")
            template = json.dumps({"Resources": {"Pool": pool, "Group": failing}})
            cloudformation.create_stack(StackName=name, TemplateBody=template)
            stack = settled(name)
            self.assertEqual(stack["StackStatus"], status)
            refusal = f"Stack:{stack['StackId']} is in {status} state and can not be updated."
            change_set = {"StackName": name, "TemplateBody": template, "ChangeSetName": "a"}
            with self.refused("ValidationError", refusal):
                cloudformation.update_stack(StackName=name, TemplateBody=template)
            with self.refused("ValidationError", refusal):
                cloudformation.create_change_set(ChangeSetType="UPDATE", **change_set)
            for create, more in (
                (cloudformation.create_change_set, change_set | {"ChangeSetType": "CREATE"}),
                (cloudformation.create_stack, {"StackName": name, "TemplateBody": template}),
            ):
                with self.refused("AlreadyExistsException", f"Stack [{name}] already exists"):
                    create(**more)


class GatewayAccount(Test):
    def test_deleted_stack_leaves_the_gateways_role(self):
        name = f"strict-{uuid4().hex[:12]}"
        role = {"Fn::GetAtt": ["Role", "Arn"]}
        resources = {
            "Role": resource("IAM::Role", service_role("apigateway.amazonaws.com")),
            "Account": resource("ApiGateway::Account", {"CloudWatchRoleArn": role}),
        }
        template = json.dumps({"Resources": resources})
        before = apigateway.get_account().get("cloudwatchRoleArn", "")
        cloudformation.create_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
        stack = settled(name)
        self.assertEqual(stack["StackStatus"], "CREATE_COMPLETE")
        made = apigateway.get_account()["cloudwatchRoleArn"]
        self.assertNotEqual(made, before)
        cloudformation.delete_stack(StackName=name)
        self.assertEqual(settled(stack["StackId"])["StackStatus"], "DELETE_COMPLETE")
        self.assertEqual(apigateway.get_account()["cloudwatchRoleArn"], made)


class WebAcls(Test):
    def test_web_acl_protects_only_what_exists(self):
        name = f"acl-{uuid4().hex[:12]}"
        visibility = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": name}
        acl = wafv2.create_web_acl(
            Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visibility
        )["Summary"]["ARN"]
        pool = cognito.create_user_pool(PoolName=name)["UserPool"]["Arn"]
        api = apigateway.create_rest_api(name=name)["id"]
        deployment = apigateway.create_deployment(restApiId=api)["id"]
        apigateway.create_stage(restApiId=api, stageName="a", deploymentId=deployment)
        stage = f"arn:aws:apigateway:us-east-1::/restapis/{api}/stages/a"
        for arn in (pool, stage):
            for other in (f"{arn}b", arn.replace("us-east-1", "eu-west-1"), arn.replace("arn:aws:", "arn:aws-cn:")):
                with self.refused("WAFNonexistentItemException", "your resource doesn't exist"):
                    wafv2.associate_web_acl(WebACLArn=acl, ResourceArn=other)
            wafv2.associate_web_acl(WebACLArn=acl, ResourceArn=arn)
            self.assertEqual(wafv2.get_web_acl_for_resource(ResourceArn=arn)["WebACL"]["ARN"], acl)
        association = {"WebACLArn": acl, "ResourceArn": f"{pool}b"}
        template = json.dumps({"Resources": {"Association": resource("WAFv2::WebACLAssociation", association)}})
        cloudformation.create_stack(StackName=name, TemplateBody=template)
        self.assertEqual(settled(name)["StackStatus"], "ROLLBACK_COMPLETE")


class Sms(Test):
    def test_rejections_have_the_wire_codes_of_sns(self):
        for last, code, status in (
            ("00", "InvalidParameter", 400),
            ("03", "AuthorizationError", 403),
            ("29", "Throttled", 429),
            ("50", "InternalError", 500),
            ("51", "KMSAccessDenied", 400),
            ("52", "KMSThrottling", 400),
        ):
            with self.assertRaises(ClientError) as caught:
                sns.publish(PhoneNumber=f"+120255501{last}", Message="Hello")
            self.assertEqual(caught.exception.response["Error"]["Code"], code)
            self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], status)
        for number in ("+12025550100", "34600000000", "+0"):
            reason = f"Invalid parameter: PhoneNumber Reason: {number} is not valid to publish to"
            with self.refused("InvalidParameter", reason):
                sns.publish(PhoneNumber=number, Message="Hello")
        with self.refused("InvalidParameter"):
            sns.publish(Message="Hello")

    def test_sender_id_needs_a_letter(self):
        def publish(sender):
            attribute = {"DataType": "String", "StringValue": sender}
            attributes = {"AWS.SNS.SMS.SenderID": attribute}
            sns.publish(PhoneNumber="+34600000000", Message="Hello", MessageAttributes=attributes)

        publish("R2-D2")
        for sender in ("2", "TwelveLetter", "a b", "-a"):
            with self.refused("ParameterValueInvalid"):
                publish(sender)

    def test_opted_out_numbers_get_no_sms(self):
        def received(number):
            url = f"{sns.meta.endpoint_url}/_ministack/sns/sms-messages?phoneNumber={quote(number)}"
            with urlopen(url) as response:
                return len(json.load(response)["sms_messages"].get(number, []))

        for number, messages in (("+34600000001", 1), ("+34600007867", 0)):
            before = received(number)
            self.assertIn("MessageId", sns.publish(PhoneNumber=number, Message="Hello"))
            self.assertEqual(received(number) - before, messages)
