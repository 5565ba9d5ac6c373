// openapi-typescript's types with openapi-fetch, compiled by a strict tsc: the hub's OpenAPI documents; prints what was understood as JSON.
import createClient from 'openapi-fetch';
import type { paths as Citizens } from './citizens.d.ts';
import type { paths as Store } from './kho.d.ts';
import type { paths as People } from './nguoi-dan.d.ts';

declare const process: { argv: string[] };
const [hub, token] = process.argv.slice(2) as [string, string];

const at = (service: string) => ({
  baseUrl: `${hub}/${service}/1`,
  headers: { Authorization: `Bearer ${token}`, 'Accept-Language': 'en' },
});
const told = (problem?: { type: string; title: string }) => `${problem?.type.split('/').pop()} ${problem?.title}`;

const citizens = createClient<Citizens>(at('citizens'));
const lookUp = (purpose: string) =>
  citizens.POST('/lookups', {
    params: {
      header: { 'Lgsp-Purpose': purpose, 'Lgsp-Official': 'CB001', 'Lgsp-Public-Service': '1.000001', 'Lgsp-Dossier': 'H99.1-261123-0001' },
    },
    body: { citizen_id: '099090000001', full_name: 'Nguyễn Văn An', birth_date: '1990-05-17' },
  });
const found = await lookUp('receive-dossier');
const refused = await lookUp('marketing');

const store = createClient<Store>(at('kho'));
const kept = await store.POST('/ho-so', {
  body: { ma: 'TS-1', soTrang: 12, lePhi: 15000.5, giayTo: [{ loai: 'Đơn đề nghị' }, { loai: 'CCCD', ngay: '2021-03-04' }] },
});
const missing = await store.GET('/ho-so/{ma}', { params: { path: { ma: 'không có' } } });

const people = createClient<People>(at('nguoi-dan'));
const nobody = await people.POST('/Find', { body: { Id: '404' } });

const name = found.data?.citizens[0]?.name;
console.log(
  JSON.stringify({
    citizen: `${name?.family} ${name?.middle} ${name?.given}`.trim(),
    pages: kept.data?.soTrang,
    fee: String(kept.data?.lePhi),
    papers: kept.data?.giayTo.map((paper) => paper.loai),
    faults: [told(refused.error), told(missing.error)],
    trouble: nobody.error?.providerFault?.detail?.Number,
  }),
);
