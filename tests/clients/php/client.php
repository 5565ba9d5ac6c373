<?php
// PHP's SoapClient against both WSDLs that the hub publishes; prints what it understood as one JSON object.
[$_, $hub, $token] = $argv;
$options = [
    'cache_wsdl' => WSDL_CACHE_NONE,
    'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
    'stream_context' => stream_context_create(['http' => ['header' => "Authorization: Bearer $token"]]),
];
$slug = function (callable $call) {
    try {
        $call();
        return null;
    } catch (SoapFault $fault) {
        return $fault->detail->problem->slug . ' ' . $fault->detail->problem->title->en;
    }
};

$citizens = new SoapClient("$hub/citizens/1/soap?singleWsdl", $options);
$ask = ['citizen_id' => '099090000001', 'full_name' => 'Nguyễn Văn An', 'birth_date' => '1990-05-17'];
$purpose = fn (string $word) => new SoapHeader('urn:lgsp:soap:1', 'Lgsp', [
    'Purpose' => $word, 'Official' => 'CB001', 'PublicService' => '1.000001', 'Dossier' => 'H99.1-261123-0001',
]);
$found = $citizens->__soapCall('citizenLookup', [$ask], null, $purpose('receive-dossier'));
$refused = $slug(fn () => $citizens->__soapCall('citizenLookup', [$ask], null, $purpose('marketing')));

$store = new SoapClient("$hub/kho/1/soap?singleWsdl", $options);
$kept = $store->luuHoSo([
    'ma' => 'PHP-1', 'soTrang' => 12, 'lePhi' => '15000.50',
    'giayTo' => ['item' => [['loai' => 'Đơn đề nghị'], ['loai' => 'CCCD', 'ngay' => '2021-03-04']]],
]);
$missing = $slug(fn () => $store->xemHoSo(['ma' => 'không có']));

$people = new SoapClient("$hub/nguoi-dan/1/soap?singleWsdl", $options);
try {
    $people->Find(['Id' => '404']);
} catch (SoapFault $fault) {
    $trouble = (int) $fault->detail->Trouble->Number;
}

echo json_encode([
    'citizen' => trim("{$found->citizens[0]->name->family} {$found->citizens[0]->name->middle} {$found->citizens[0]->name->given}"),
    'pages' => $kept->soTrang, 'fee' => $kept->lePhi, 'papers' => array_map(fn ($paper) => $paper->loai, $kept->giayTo->item),
    'faults' => [$refused, $missing], 'trouble' => $trouble,
], JSON_UNESCAPED_UNICODE), "\n";
