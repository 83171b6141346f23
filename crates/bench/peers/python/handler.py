import json
import os

import boto3

cognito = boto3.client("cognito-idp")
HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "Access-Control-Allow-Origin": os.environ["ALLOWED_ORIGIN"],
    "Access-Control-Allow-Headers": "*,Authorization",
    "Access-Control-Allow-Methods": "POST,OPTIONS",
}


def handler(event):
    request = json.loads(event["body"])
    answer = cognito.initiate_auth(
        ClientId=os.environ["USER_POOL_CLIENT_ID"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={
            "USERNAME": request["username"],
            "PASSWORD": request["password"],
        },
    )
    tokens = answer["AuthenticationResult"]
    body = {
        "accessToken": tokens["AccessToken"],
        "tokenId": tokens["IdToken"],
        "refreshToken": tokens["RefreshToken"],
        "expiresIn": tokens["ExpiresIn"],
        "tokenType": tokens["TokenType"],
    }
    return {
        "statusCode": 200,
        "headers": HEADERS,
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
