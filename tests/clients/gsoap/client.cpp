// gSOAP's generated proxies, with strict parsing, against both WSDLs that the hub publishes; prints what it understood as one JSON object.
#include <cstdio>
#include <string>
#include "soapCitizensSoap11Proxy.h"
#include "soapKho1SoapProxy.h"
#include "soapPeopleSoapProxy.h"
#include "CitizensSoap11.nsmap"

static std::string authorization;

static void prepare(struct soap *context) {
    soap_set_mode(context, SOAP_XML_STRICT | SOAP_C_UTFSTRING);
    context->http_extra_header = authorization.c_str();
}

static std::string fault(struct soap *context) {
    auto detail = context->fault != nullptr ? context->fault->detail : nullptr;
    if (detail == nullptr || detail->ns2__problem == nullptr) {
        soap_print_fault(context, stderr);
        return "";
    }
    return std::string(detail->ns2__problem->slug) + " " + detail->ns2__problem->title->en;
}

static void purpose(struct soap *context, const char *word) {
    context->header = soap_new_SOAP_ENV__Header(context);
    auto block = context->header->ns2__Lgsp = soap_new__ns2__Lgsp(context);
    block->Purpose = (char *)word;
    block->Official = (char *)"CB001";
    block->PublicService = (char *)"1.000001";
    block->Dossier = (char *)"H99.1-261123-0001";
}

int main(int, char **given) {
    std::string hub = given[1];
    authorization = std::string("Authorization: Bearer ") + given[2];

    std::string citizens_at = hub + "/citizens/1/soap", store_at = hub + "/kho/1/soap";

    CitizensSoap11Proxy citizens(citizens_at.c_str());
    _ns1__citizenLookup ask;
    ask.__union_citizenLookup = SOAP_UNION__ns1__union_citizenLookup_citizen_USCOREid;
    ask.union_citizenLookup.citizen_USCOREid = (char *)"099090000001";
    ask.full_USCOREname = (char *)"Nguyễn Văn An";
    ask.birth_USCOREdate = (char *)"1990-05-17";
    _ns1__citizenLookupResponse found;
    prepare(citizens.soap);
    purpose(citizens.soap, "receive-dossier");
    if (citizens.citizenLookup(&ask, found) != SOAP_OK) {
        soap_print_fault(citizens.soap, stderr);
        return 1;
    }
    auto name = found.citizens[0]->name;
    std::string citizen = std::string(name->family) + " " + name->middle + " " + name->given;
    prepare(citizens.soap);
    purpose(citizens.soap, "marketing");
    _ns1__citizenLookupResponse nobody;
    std::string refused = citizens.citizenLookup(&ask, nobody) == SOAP_OK ? "" : fault(citizens.soap);

    Kho1SoapProxy store(store_at.c_str());
    ns3__GiayTo first, second;
    first.loai = (char *)"Đơn đề nghị";
    second.loai = (char *)"CCCD";
    ns3__GiayTo *papers[] = {&first, &second};
    int pages = 12;
    _ns3__luuHoSo dossier;
    dossier.ma = (char *)"CPP-1";
    dossier.soTrang = &pages;
    dossier.lePhi = (char *)"15000.50";
    dossier.giayTo.__sizeitem = 2;
    dossier.giayTo.item = papers;
    _ns3__luuHoSoResponse kept;
    prepare(store.soap);
    if (store.luuHoSo(&dossier, kept) != SOAP_OK) {
        soap_print_fault(store.soap, stderr);
        return 1;
    }
    _ns3__xemHoSo absent;
    absent.ma = (char *)"không có";
    _ns3__xemHoSoResponse nothing;
    prepare(store.soap);
    std::string missing = store.xemHoSo(&absent, nothing) == SOAP_OK ? "" : fault(store.soap);

    std::string people_at = hub + "/nguoi-dan/1/soap";
    PeopleSoapProxy people(people_at.c_str());
    _ns4__Find who;
    who.Id = (char *)"404";
    _ns5__Found nobody_found;
    prepare(people.soap);
    int trouble = people.Find(&who, nobody_found) == SOAP_FAULT ? people.soap->fault->detail->ns5__Trouble->Number : 0;

    std::printf(
        "{\"citizen\": \"%s\", \"pages\": %d, \"fee\": \"%s\", \"papers\": [\"%s\", \"%s\"], \"faults\": [\"%s\", \"%s\"], \"trouble\": %d}\n",
        citizen.c_str(), *kept.soTrang, kept.lePhi, kept.giayTo.item[0]->loai, kept.giayTo.item[1]->loai, refused.c_str(), missing.c_str(), trouble);
    return 0;
}
