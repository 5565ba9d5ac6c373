// .NET proxies made by wsdl and xsd (mono) against both WSDLs that the hub publishes; prints what they understood as one JSON object.
using System;
using System.Net;
using System.Web.Services.Protocols;
using System.Xml;
using System.Xml.Serialization;

class CitizensClient : Citizens.citizens {
    public string Token;
    protected override WebRequest GetWebRequest(Uri uri) {
        var request = base.GetWebRequest(uri);
        request.Headers["Authorization"] = "Bearer " + Token;
        return request;
    }
}

class StoreClient : Kho.Kho1 {
    public string Token;
    protected override WebRequest GetWebRequest(Uri uri) {
        var request = base.GetWebRequest(uri);
        request.Headers["Authorization"] = "Bearer " + Token;
        return request;
    }
}

class PeopleClient : People.People {
    public string Token;
    protected override WebRequest GetWebRequest(Uri uri) {
        var request = base.GetWebRequest(uri);
        request.Headers["Authorization"] = "Bearer " + Token;
        return request;
    }
}

[XmlRoot(Namespace = "urn:test:answer")]
public class Trouble {
    [XmlElement(Namespace = "")]
    public int Number;
}

static class Client {
    static int Typed(Action call) {
        try {
            call();
            return 0;
        } catch (SoapException error) {
            var reader = new XmlNodeReader(error.Detail.FirstChild);
            return ((Trouble)new XmlSerializer(typeof(Trouble)).Deserialize(reader)).Number;
        }
    }

    static string Fault(Action call) {
        try {
            call();
            return "";
        } catch (SoapException error) {
            var reader = new XmlNodeReader(error.Detail.FirstChild);
            var problem = (Problems.Problem)new XmlSerializer(typeof(Problems.Problem)).Deserialize(reader);
            return problem.slug + " " + problem.title.en;
        }
    }

    static Citizens.Lgsp Purpose(string word) {
        return new Citizens.Lgsp { Purpose = word, Official = "CB001", PublicService = "1.000001", Dossier = "H99.1-261123-0001" };
    }

    static void Main(string[] given) {
        string hub = given[0], token = given[1], total, note;
        var kind = Citizens.ItemChoiceType.citizen_id;
        var citizens = new CitizensClient { Url = hub + "/citizens/1/soap", Token = token, LgspValue = Purpose("receive-dossier") };
        var found = citizens.citizenLookup("099090000001", kind, "Nguyễn Văn An", "1990-05-17", out total, out note);
        citizens.LgspValue = Purpose("marketing");
        var refused = Fault(() => citizens.citizenLookup("099090000001", kind, "Nguyễn Văn An", "1990-05-17", out total, out note));

        var store = new StoreClient { Url = hub + "/kho/1/soap", Token = token };
        string code = "NET-1", remark = null, absent = "không có";
        int pages = 12;
        decimal fee = 15000.50m;
        bool hasPages = true, hasFee = true;
        var papers = new[] { new Kho.GiayTo { loai = "Đơn đề nghị" }, new Kho.GiayTo { loai = "CCCD", ngay = new DateTime(2021, 3, 4), ngaySpecified = true } };
        store.luuHoSo(ref code, ref pages, ref hasPages, ref fee, ref hasFee, ref remark, ref papers);
        int count = pages;
        string first = papers[0].loai, second = papers[1].loai;
        decimal kept = fee;
        var missing = Fault(() => store.xemHoSo(ref absent, out pages, out hasPages, out fee, out hasFee, out remark, out papers));

        var people = new PeopleClient { Url = hub + "/nguoi-dan/1/soap", Token = token };
        long sum;
        int trouble = Typed(() => people.Find("404", null, null, 0, false, null, null, null, null, out sum));

        var name = found[0].name;
        Console.OutputEncoding = new System.Text.UTF8Encoding(false);
        Console.WriteLine("{{\"citizen\": \"{0}\", \"pages\": {1}, \"fee\": \"{2}\", \"papers\": [\"{3}\", \"{4}\"], \"faults\": [\"{5}\", \"{6}\"], \"trouble\": {7}}}",
            (name.family + " " + name.middle + " " + name.given).Trim(), count, kept.ToString(System.Globalization.CultureInfo.InvariantCulture),
            first, second, refused, missing, trouble);
    }
}
