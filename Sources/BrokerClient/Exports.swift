// What the client's own interface names: who imports it needs no other module of the package to write a tenant, an
// address, a key or a transport of their own.

@_exported public import Formats
@_exported public import Secrets
@_exported public import Transport
