"""GraphQL: the views of REST, any part of them, of one and the same moment.

    POST /graphql                  queries; the extra bursar[graphql] brings what reads them
    WebSocket /graphql             queries, and the live views, as graphql-transport-ws has it

Nothing is worked out here, and nothing is declared twice: the schema is made of the route table and
of the very records that REST answers (`schema`), and a field is read by the reader of its route.
An operation is one job of the keeper, so all that it asks for is of one version of the book.

Follow a request: `endpoint` (loads the rest when it is first asked) → `operations` (understands,
answers) → `limits` (before anything else looks at it) → `schema`. `socket` is the other way in.

Errors: those of REST under the codes of REST, in `errors`, each with its code in `extensions`.
"""
