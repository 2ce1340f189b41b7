/** The beginnings of files that GnuPG 2.2 and OpenSSL 3.0 wrote for this project: what is encrypted, what is signed, and what is neither. */

const bytes = (base64: string): Buffer => Buffer.from(base64, "base64");

export const pgpKey = bytes(
  "mQENBGsMEG0BCADKvte5XplzS76vZZwgiMXGmE4MvADUrtOpkB/gU63N+tfR+C5iUBz9w/sGNYxHkJNdOTIc4fien6HBQ3jJs9P/sV7W+Vi9tZKcTSxffaCTqy+z3Yop",
);
export const pgpSignature = bytes(
  "iQEzBAABCgAdFiEEYH/RlvLjvREpuJ4gGF0EtBam+/AFAmsMEHMACgkQGF0EtBam+/Dw2wgAkPLaxo51IMCW6eBvOODh6D6YAviK1lJzwjNEoCdRD1JbU0fAqAzh/6zw",
);
export const pgpSigned = bytes(
  "owEBWwGk/pANAwAKARhdBLQWpvvwAawUYgVsLnR4dGsMEHNhIGxldHRlcgqJATMEAAEKAB0WIQRgf9GW8uO9ESm4niAYXQS0Fqb78AUCawwQcwAKCRAYXQS0Fqb78PDb",
);
export const pgpPassword = bytes(
  "jA0ECQMCdN6/s9AELfn/0kMB/0UHDGL6XlqxoewjDm8bp9F/sN892XnQ/QxPcVqp1su3yEw1geI3L4vnaBA0TWczycF7omL/aBUApdVA8++da9Vy",
);
export const pgpToKey = bytes(
  "hQEMA/68dPIZAlgqAQf+IvgDzohUM/CT/lVQ8C7ZV9vJNYUE1L/3YJfElDPz4W2naqYxLpAGf7lKko+qhbXSYiyXGE8tbLwKBmtV8ORCN2VCgA898CYcowlF0ecQznOW",
);
export const cmsEnveloped = bytes(
  "MIIBmAYJKoZIhvcNAQcDoIIBiTCCAYUCAQAxggFAMIIBPAIBADAkMAwxCjAIBgNVBAMMAWECFA+GvHByC7g37zI6zI5Yajoa57iwMA0GCSqGSIb3DQEBAQUABIIBAIUx",
);
export const cmsEnvelopedBer = bytes(
  "MIAGCSqGSIb3DQEHA6CAMIACAQAxggFAMIIBPAIBADAkMAwxCjAIBgNVBAMMAWECFA+GvHByC7g37zI6zI5Yajoa57iwMA0GCSqGSIb3DQEBAQUABIIBAFMX+oo+b0Fv",
);
export const cmsOpaque = bytes(
  "MIIFeQYJKoZIhvcNAQcCoIIFajCCBWYCAQExDTALBglghkgBZQMEAgEwGQYJKoZIhvcNAQcBoAwECmEgbGV0dGVyDQqgggL9MIIC+TCCAeGgAwIBAgIUD4a8cHILuDfv",
);
export const cmsOpaqueBer = bytes(
  "MIAGCSqGSIb3DQEHAqCAMIACAQExDTALBglghkgBZQMEAgEwgAYJKoZIhvcNAQcBoIAkgAQKYSBsZXR0ZXINCgAAAAAAAKCCAv0wggL5MIIB4aADAgECAhQPhrxwcgu4",
);
export const cmsDetached = bytes(
  "MIIFawYJKoZIhvcNAQcCoIIFXDCCBVgCAQExDTALBglghkgBZQMEAgEwCwYJKoZIhvcNAQcBoIIC/TCCAvkwggHhoAMCAQICFA+GvHByC7g37zI6zI5Yajoa57iwMA0G",
);
export const cmsCertificates = bytes(
  "MIIDKAYJKoZIhvcNAQcCoIIDGTCCAxUCAQExADALBgkqhkiG9w0BBwGgggL9MIIC+TCCAeGgAwIBAgIUD4a8cHILuDfvMjrMjlhqOhrnuLAwDQYJKoZIhvcNAQELBQAw",
);
export const pgpArmour = Buffer.from(
  `-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA/68dPIZAlgqAQf/bEKUbNOjl6uF4rP6MjlMZr/Zju0YP5Dz0M8ipyR1c3N1\r\ndIMG0tpm6f1/iUDl9N1ie+rSolqSaVF397gPTri18TgDM4KCl6RUjvgKRzgAdhb1\r\n+rmP01cWNsFrQsAD86j7hVAb1XL1L7zuOIGdIx9PQezErsYjxhQFDfdUShaL4REp\r\n-----END PGP MESSAGE-----\r\n`,
);
export const cmsPem = Buffer.from(
  `-----BEGIN CMS-----\nMIIBpwYLKoZIhvcNAQkQARegggGWMIIBkgIBADGCAUAwggE8AgEAMCQwDDEKMAgG\nA1UEAwwBYQIUD4a8cHILuDfvMjrMjlhqOhrnuLAwDQYJKoZIhvcNAQEBBQAEggEA\nCug58WpVB8/ZZ+osPOQQp8O5iK3wrRnffh/qQ5F1zgceWdd1M0bK+hl7WeceMQ2t\n-----END CMS-----\n`,
);
export const pgpKeyArmour = Buffer.from(
  `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBGsMEG0BCADKvte5XplzS76vZZwgiMXGmE4MvADUrtOpkB/gU63N+tfR+C5i\n-----END PGP PUBLIC KEY BLOCK-----\n`,
);
