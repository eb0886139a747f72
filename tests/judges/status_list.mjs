// Reads one status list token as @sd-jwt/jwt-status-list does, with its signature checked by Node, and writes a
// list of its own for us to read.
import { createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { StatusList, createHeaderAndPayload, getListFromStatusListJWT } from '@sd-jwt/jwt-status-list'

const { jwt, jwk, values, bits } = JSON.parse(readFileSync(0, 'utf8'))
const [header, claims, signature] = jwt.split('.')
const said = JSON.parse(Buffer.from(claims, 'base64url'))
const key = createPublicKey({ key: jwk, format: 'jwk' })
const list = getListFromStatusListJWT(jwt)
const own = new StatusList(values, bits)
const made = createHeaderAndPayload(own, { iss: 'https://judge.example', sub: said.sub, iat: said.iat }, { alg: 'ES256', typ: 'statuslist+jwt' })
process.stdout.write(JSON.stringify({
  verified: verify('sha256', Buffer.from(`${header}.${claims}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')),
  header: JSON.parse(Buffer.from(header, 'base64url')),
  claims: said,
  bits: list.getBitsPerStatus(),
  entries: list.statusList.length,
  set: Object.fromEntries(list.statusList.map((value, index) => [index, value]).filter(([, value]) => value)),
  made: made.payload.status_list,
}))
