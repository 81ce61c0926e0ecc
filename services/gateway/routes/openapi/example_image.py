"""The picture in the examples of the OpenAPI document: a small drawn shirt, so that a first try finds something."""

# A PNG in base64.
EXAMPLE_IMAGE = (
    "iVBORw0KGgoAAAANSUhEUgAAADwAAABQAQMAAAB/BIQQAAAABlBMVEX///8ePHhuV931AAAAkklEQVR42u3OsU0DQRhE4e/+s2wC"
    "S3YHbAl0wJVCCQ4JXZpLuRIINzjdEKxkUQASCRO9ZGYef5x3p5Vi4Qpyv3TKhAPlaLnOlBdvH+54TZKH0qApC6OfJOlqAgd1BLP5"
    "/AmmGjeWagNarQPW+hrwqKffKUkStQ05tYNdJdg2ZccOtyT9hpakN0Oo8xz8h5/w6/kGk8AysPse82wAAAAASUVORK5CYII="
)
