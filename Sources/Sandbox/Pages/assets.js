// Calls to the asset service, as a product's own page or server would make them.

import { call, post, sessionToken } from "./broker.js";

const { assets, tenant } = document.body.dataset;
const api = `${assets}/v1/tenants/${encodeURIComponent(tenant)}`;

async function authorized() {
  return { Authorization: `Bearer ${await sessionToken()}` };
}

async function get(path) {
  return call(api + path, { headers: await authorized() });
}

/// The names of the source types that it reads with credentials; none where there is no asset service.
export async function ingestedTypes() {
  if (!assets) return new Set();
  try {
    const { items } = await get("/assets:sourceTypes");
    return new Set(items.filter((item) => item.supportsOAuth).map((item) => item.type));
  } catch {
    return new Set();
  }
}

/// Gives the ticket away: from now on it is spent.
export async function createAsset(source, { credentialKey, exchangeVerifier }) {
  return post(`${api}/assets`, {
    config: { sourceType: source.type },
    auth: { credentialKey, exchangeVerifier },
    embedding: { provider: "sandbox", model: "digest-8", chunkSize: 64, chunkOverlap: 8 },
  }, await authorized());
}

export async function refreshAsset(asset) {
  return post(`${api}/assets/${asset.id}:refresh`, {}, await authorized());
}

export function operationOf(asset, { id }) {
  return get(`/assets/${asset.id}/operations/${id}`);
}

export async function documentsOf(asset) {
  return (await get(`/assets/${asset.id}/documents`)).items;
}

export async function chunksOf(asset, { id }) {
  return (await get(`/assets/${asset.id}/documents/${id}/chunks`)).chunks;
}
