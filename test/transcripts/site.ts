/** The site that the transcripts talk to: its settings, its access map, and its policy made of them. */

import { parseAccessMap } from '../../src/core/policy/access-map.ts'
import { compilePolicy, posternFeatures, type Policy } from '../../src/core/policy/policy.ts'
import type { SessionLimits, SessionSettings } from '../../src/core/smtp/session-events.ts'

export const siteSettings: SessionSettings = {
  listener: 'mx',
  hostname: 'mx.example.org',
  offersStartTls: true,
  greetDelaySeconds: 0,
  completesHeader: false,
  asksAboutAuthors: true,
  postmasterDomain: 'mx.example.org',
  etrn: [],
  takesXclient: false,
  logins: { rule: 'any', byPassword: [], byToken: null },
  futureRelease: null,
  limits: {
    messageBytes: 20_000,
    recipients: 100,
    messages: 50,
    errors: 20,
    logins: 3,
    headerBytes: 4_000,
    headerFields: 50,
    receivedFields: 25,
    commandSeconds: 300,
    dataSeconds: 180,
    messageSeconds: 3600,
  } satisfies SessionLimits,
}

/** Certificates of our CA may relay; who may not, or only in part, has a name that says so. */
const ACCESS = `
CERTISSUER:/O=Example/CN=Example+20CA	RELAY
Connect:198.51.100.9	RELAY
Connect:192.0.2.50	REJECT
Connect:192.0.2.51	ERROR:4.7.1:421 Come back tomorrow
Connect:192.0.2.52	ERROR:4.7.1:450 Come back later
Connect:192.0.2.53	DISCARD
Connect:192.0.2.54	QUARANTINE:a host to watch
TLS_Clt:192.0.2.60	VERIFY
TLS_Clt:192.0.2.61	VERIFY
Srv_Features:192.0.2.70	S
Srv_Features:192.0.2.71	P I A
Srv_Features:192.0.2.72	l
Srv_Features:192.0.2.73	temporarily closed
TLS_Srv_Features:192.0.2.74	CipherLIST=a;nonsense=1
From:refused@example.com	REJECT
From:later@example.com	ERROR:4.7.1:450 Come back later
From:goodbye@example.com	ERROR:4.7.1:421 Come back tomorrow
From:discarded@example.com	DISCARD
From:held@example.com	QUARANTINE:a sender to watch
To:refused@example.org	REJECT
To:goodbye@example.org	ERROR:4.7.1:421 Come back tomorrow
To:discarded@example.org	DISCARD
To:held@example.org	QUARANTINE:a recipient to watch
`

export const sitePolicy: Policy = compilePolicy({
  access: parseAccessMap(ACCESS, 'access').map,
  hostname: siteSettings.hostname,
  localDomains: [],
  relayDomains: ['example.org'],
  ownDomains: [],
  trustedMechanisms: [],
  senderBinding: 'enforce',
  headerFromBinding: 'enforce',
  features: posternFeatures,
})
