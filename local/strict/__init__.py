"""MiniStack, as strict as AWS.

One module for each service, and for Cognito one for each matter. A change of a function of MiniStack stands around it
(`patch.around`), and says what AWS does and where that is written:

- `guide:` a page of the service's developer guide, by the name in its address
- `API_` a page of the service's API reference
- `model:` the service's model in botocore, whose texts are those of the API reference
- `authorization reference:` the service's page in the service authorization reference
- `owner/repository#1`: an issue on GitHub in which AWS's words are quoted
- `Not AWS's`: AWS does not do this, or the change only makes room for another one
"""
