// A foreign stack for the signatures of WS-Security: the JDK's javax.xml.crypto. `verify IN CERTIFICATE` or `sign IN KEY CERTIFICATE OUT`.

import java.io.FileInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.xml.crypto.dom.DOMStructure;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.ExcC14NParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

public class WssPeer {
    static final String WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
    static final String WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    static final String DS = "http://www.w3.org/2000/09/xmldsig#";
    static final XMLSignatureFactory XML = XMLSignatureFactory.getInstance("DOM");

    public static void main(String[] words) throws Exception {
        for (int at = 0; at < words.length; ) {
            if (words[at].equals("verify")) {
                System.out.println(verify(read(words[at + 1]), certificate(words[at + 2])));
                at += 3;
            } else {
                sign(read(words[at + 1]), key(words[at + 2]), certificate(words[at + 3]), words[at + 4]);
                at += 5;
            }
        }
    }

    static boolean verify(Document document, X509Certificate certificate) throws Exception {
        Element signature = (Element) document.getElementsByTagNameNS(DS, "Signature").item(0);
        DOMValidateContext context = new DOMValidateContext(certificate.getPublicKey(), signature);
        identified(document).forEach(element -> context.setIdAttributeNS(element, WSU, "Id"));
        return XML.unmarshalXMLSignature(context).validate(context);
    }

    static void sign(Document document, PrivateKey key, X509Certificate certificate, String out) throws Exception {
        Element security = (Element) document.getElementsByTagNameNS(WSSE, "Security").item(0);
        List<Reference> references = new ArrayList<>();
        DOMSignContext context = new DOMSignContext(key, security);
        for (Element element : identified(document)) {
            context.setIdAttributeNS(element, WSU, "Id");
            ExcC14NParameterSpec kept = new ExcC14NParameterSpec(List.of("soap", "o"));
            references.add(XML.newReference("#" + element.getAttributeNS(WSU, "Id"), XML.newDigestMethod(DigestMethod.SHA256, null),
                List.of(XML.newTransform("http://www.w3.org/2001/10/xml-exc-c14n#", kept)), null, null));
        }
        SignedInfo info = XML.newSignedInfo(
            XML.newCanonicalizationMethod(CanonicalizationMethod.EXCLUSIVE, (C14NMethodParameterSpec) null),
            XML.newSignatureMethod("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", null), references);
        Element reference = document.createElementNS(WSSE, "wsse:SecurityTokenReference");
        Element name = document.createElementNS(WSSE, "wsse:Reference");
        name.setAttribute("URI", "#java-token");
        reference.appendChild(name);
        Element token = (Element) document.getElementsByTagNameNS(WSSE, "BinarySecurityToken").item(0);
        token.setTextContent(Base64.getMimeEncoder().encodeToString(certificate.getEncoded()));
        XML.newXMLSignature(info, XML.getKeyInfoFactory().newKeyInfo(List.of(new DOMStructure(reference)))).sign(context);
        TransformerFactory.newInstance().newTransformer().transform(new DOMSource(document), new StreamResult(out));
    }

    static List<Element> identified(Document document) {
        List<Element> found = new ArrayList<>();
        NodeList all = document.getElementsByTagName("*");
        for (int at = 0; at < all.getLength(); at++) {
            Element element = (Element) all.item(at);
            if (element.hasAttributeNS(WSU, "Id") && !element.getLocalName().equals("BinarySecurityToken")) found.add(element);
        }
        NodeList tokens = document.getElementsByTagNameNS(WSSE, "BinarySecurityToken");
        for (int at = 0; at < tokens.getLength(); at++) {
            Element token = (Element) tokens.item(at);
            if (!token.getTextContent().isBlank()) found.add(token);
        }
        return found;
    }

    static Document read(String path) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(path);
    }

    static X509Certificate certificate(String path) throws Exception {
        try (FileInputStream file = new FileInputStream(path)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(file);
        }
    }

    static PrivateKey key(String path) throws Exception {
        String text = Files.readString(Path.of(path)).replaceAll("-----[A-Z ]+-----", "");
        return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(text)));
    }
}
