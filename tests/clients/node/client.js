// node's soap library against both WSDLs that the hub publishes; prints what it understood as one JSON object.
const soap = require('soap');
const [hub, token] = process.argv.slice(2);

const purpose = (word) =>
  `<l:Lgsp xmlns:l="urn:lgsp:soap:1"><l:Purpose>${word}</l:Purpose><l:Official>CB001</l:Official>` +
  '<l:PublicService>1.000001</l:PublicService><l:Dossier>H99.1-261123-0001</l:Dossier></l:Lgsp>';

async function fault(call) {
  try {
    await call();
  } catch (error) {
    const problem = error.root.Envelope.Body.Fault.detail.problem;
    return `${problem.slug} ${problem.title.en}`;
  }
}

async function client(service) {
  const made = await soap.createClientAsync(`${hub}/${service}/1/soap?singleWsdl`);
  made.addHttpHeader('Authorization', `Bearer ${token}`);
  return made;
}

async function main() {
  const citizens = await client('citizens');
  const ask = { citizen_id: '099090000001', full_name: 'Nguyễn Văn An', birth_date: '1990-05-17' };
  citizens.addSoapHeader(purpose('receive-dossier'));
  const [found] = await citizens.citizenLookupAsync(ask);
  citizens.clearSoapHeaders();
  citizens.addSoapHeader(purpose('marketing'));
  const refused = await fault(() => citizens.citizenLookupAsync(ask));

  const store = await client('kho');
  const papers = [{ loai: 'Đơn đề nghị' }, { loai: 'CCCD', ngay: '2021-03-04' }];
  const [kept] = await store.luuHoSoAsync({ ma: 'JS-1', soTrang: 12, lePhi: '15000.50', giayTo: { item: papers } });
  const missing = await fault(() => store.xemHoSoAsync({ ma: 'không có' }));

  const people = await client('nguoi-dan');
  const trouble = await people.FindAsync({ Id: '404' }).catch((error) => error.root.Envelope.Body.Fault.detail.Trouble.Number);

  const { family, middle, given } = found.citizens[0].name;
  console.log(JSON.stringify({
    citizen: `${family} ${middle} ${given}`.trim(),
    pages: kept.soTrang, fee: String(kept.lePhi), papers: kept.giayTo.item.map((paper) => paper.loai),
    faults: [refused, missing], trouble: Number(trouble),
  }));
}

main();
