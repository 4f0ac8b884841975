/** `[oauth]`: tokens of an identity provider as logins, and who says whether one is good. */

import { z } from 'zod'
import { duration, listOf, path } from './forms.ts'
import { table } from './table.ts'

const URL_HINT = 'write an https:// URL without user, password and "#", such as "https://login.example.org/oauth2/introspect"; http:// is for this host itself only'
const endpoint = z.string({ error: URL_HINT }).refine(isEndpoint, { error: URL_HINT })

const SCOPE_HINT = 'write a list of scopes, each without blanks and quotes: ["smtp"]'
const scope = z.string({ error: SCOPE_HINT }).regex(/^[!#-[\]-~]{1,256}$/, { error: SCOPE_HINT })

const CLAIM_HINT = 'write the name of a claim, such as "sub", "email" or "preferred_username"'
const claim = z.string({ error: CLAIM_HINT }).regex(/^[!-~]{1,128}$/, { error: CLAIM_HINT })

const text = (hint: string) => z.string({ error: hint }).regex(/^[ -~]{1,1024}$/, { error: hint })

const keys = table({
  introspection: endpoint
    .optional()
    .describe('The endpoint to ask about each token (RFC 7662). It is never followed elsewhere: a redirect is a failure. Either this, `jwks-file` or `jwks-url`.'),
  'client-id': text('write the name under which Postern is known to the provider, in plain ASCII')
    .optional()
    .describe('As whom Postern asks `introspection`.'),
  'client-secret-file': path.optional().describe('File with the secret of `client-id`; readable by its owner only.'),
  'trusted-ca': listOf(path, 'write a list of files: ["provider-ca.pem"]')
    .optional()
    .describe('PEM files of the CAs that may certify the provider. Left out: the public CAs.'),
  timeout: duration('1m').prefault('10s').describe('How long the provider may take for an answer. Then the client is told 454, and may try again.'),
  'jwks-file': path
    .optional()
    .describe('File with the public keys of the provider as a JSON Web Key Set (RFC 7517), by which signed tokens (JWT) are checked here. Read again at a reload.'),
  'jwks-url': endpoint
    .optional()
    .describe('The same, fetched from where the provider publishes it (its `jwks_uri`): when a token needs them and they are an hour old, or a key is not among them, twice a minute at most.'),
  issuer: text('write the issuer exactly as tokens have it in "iss"')
    .optional()
    .describe('What a token must have as `iss`, letter by letter. Required with keys.'),
  audience: text('write the audience exactly as tokens have it in "aud"')
    .optional()
    .describe('What a token must have as `aud`, or among several, letter by letter. Required with keys; with `introspection` this or `scope`.'),
  scope: listOf(scope, SCOPE_HINT).prefault([]).describe('Scopes that a token must have, all of them. Clients are told to ask for them.'),
  claim: claim
    .prefault('sub')
    .describe(
      'The claim that says whose token it is: it must hold a name given to `postern user add`, or an address of one. `sub` is what a provider never ' +
        'gives to two people, and counts letter by letter. Take another, such as `email` or `preferred_username`, only if people cannot choose it there.',
    ),
  'openid-configuration': endpoint
    .optional()
    .describe('URL of the provider\'s metadata. Clients that come without a token, or with a wrong one, are told of it.'),
})

export const oauth = keys
  .superRefine((oauth, context) => {
    const wrong = (key: keyof typeof oauth, message: string): void => context.addIssue({ code: 'custom', path: [key], message })
    const { introspection, audience, issuer } = oauth
    const [chosen, another] = WAYS.filter(way => oauth[way] !== undefined)
    if (chosen === undefined) {
      wrong('introspection', 'say who knows whether a token is good: the URL of an introspection endpoint, or in jwks-file or jwks-url the keys that tokens are signed with')
    } else if (another !== undefined) {
      wrong(another, `there is ${chosen} already; leave one of the two out`)
    } else if (introspection !== undefined) {
      if (oauth['client-id'] === undefined) wrong('client-id', 'introspection is not answered to just anybody; write the name under which the provider knows Postern')
      if (oauth['client-secret-file'] === undefined) wrong('client-secret-file', 'write the name of a file with the secret that goes with client-id')
      if (audience === undefined && oauth.scope.length === 0) {
        wrong('audience', 'say which tokens are meant for mail, by audience or by scope: else every token that the provider gives to any program is good here')
      }
    } else {
      if (issuer === undefined) wrong('issuer', 'write what tokens have as "iss": else keys of one provider would be good for the names of another')
      if (audience === undefined) wrong('audience', 'write what tokens for mail have as "aud": else every token that the provider gives to any program is good here')
      for (const key of ['client-id', 'client-secret-file'] as const) {
        if (oauth[key] !== undefined) wrong(key, 'is for introspection; keys are public')
      }
      if (chosen === 'jwks-file' && oauth['trusted-ca'] !== undefined) wrong('trusted-ca', 'is for introspection and jwks-url; with a file nobody is asked')
    }
  })
  .transform(oauth => ({
    introspection: oauth.introspection ?? null,
    clientId: oauth['client-id'] ?? '',
    clientSecretFile: oauth['client-secret-file'] ?? null,
    trustedCaFiles: oauth['trusted-ca'] ?? null,
    timeoutSeconds: oauth.timeout,
    keySetFile: oauth['jwks-file'] ?? null,
    keySetUrl: oauth['jwks-url'] ?? null,
    openidConfiguration: oauth['openid-configuration'] ?? null,
    terms: { issuer: oauth.issuer ?? null, audience: oauth.audience ?? null, scopes: oauth.scope, claim: oauth.claim },
  }))

/** Who knows whether a token is good: one of these. */
const WAYS = ['introspection', 'jwks-file', 'jwks-url'] as const

/** In clear only to this very host: whoever reads a token can use it, and whoever answers for the provider can log in as anybody. */
function isEndpoint(text: string): boolean {
  if (!/^[!-~]{1,1024}$/.test(text) || text.includes('#') || !URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  const isLocal = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
  return username === '' && password === '' && (protocol === 'https:' || (protocol === 'http:' && isLocal))
}
