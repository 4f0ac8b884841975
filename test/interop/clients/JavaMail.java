// Sends the message on standard input with JavaMail, as a Java application would.
//
// Arguments: PORT starttls|implicit certificate|external|external-empty CA.pem KEYSTORE.p12 PASSWORD FROM TO

import java.io.FileInputStream;
import java.io.InputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Properties;
import javax.mail.Message;
import javax.mail.Session;
import javax.mail.Transport;
import javax.mail.internet.InternetAddress;
import javax.mail.internet.MimeMessage;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public class JavaMail {
    public static void main(String[] args) throws Exception {
        String port = args[0], login = args[2], from = args[6], to = args[7];
        boolean implicit = args[1].equals("implicit");

        Properties settings = new Properties();
        settings.put("mail.smtp.host", "localhost");
        settings.put("mail.smtp.port", port);
        settings.put("mail.smtp.localhost", "laptop.example.test");
        settings.put("mail.smtp.from", from);
        settings.put("mail.smtp.timeout", "20000");
        settings.put("mail.smtp.ssl.enable", Boolean.toString(implicit));
        settings.put("mail.smtp.starttls.enable", "true");
        settings.put("mail.smtp.starttls.required", "true");
        settings.put("mail.smtp.ssl.checkserveridentity", "true");
        settings.put("mail.smtp.ssl.socketFactory", contextFor(args[3], args[4], args[5]).getSocketFactory());
        if (!login.equals("certificate")) {
            settings.put("mail.smtp.auth", "true");
            settings.put("mail.smtp.sasl.enable", "true");
            settings.put("mail.smtp.sasl.mechanisms", "EXTERNAL");
            settings.put("mail.smtp.sasl.authorizationid", login.equals("external") ? from : "");
        }

        Session session = Session.getInstance(settings);
        session.setDebug(true);
        MimeMessage message = new MimeMessage(session, System.in);
        try (Transport transport = session.getTransport("smtp")) {
            // JavaMail wants a user and a password before it tries SASL; EXTERNAL uses neither.
            if (login.equals("certificate")) transport.connect();
            else transport.connect(from, "unused");
            transport.sendMessage(message, new InternetAddress[] { new InternetAddress(to) });
        }
    }

    private static SSLContext contextFor(String authority, String keyStore, String password) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream file = new FileInputStream(authority)) {
            trusted.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);

        KeyStore own = KeyStore.getInstance("PKCS12");
        try (InputStream file = new FileInputStream(keyStore)) {
            own.load(file, password.toCharArray());
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, password.toCharArray());

        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}
