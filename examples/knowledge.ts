/** What the librarian knows: a small shop's answers, by language. Put your own here. */

export interface Article {
  readonly title: string;
  /** Words that people use for it, in any language. */
  readonly keywords: string;
  /** By BCP 47 language; `en` is always there. */
  readonly text: { readonly en: string; readonly [language: string]: string };
}

export const KNOWLEDGE: readonly Article[] = [
  {
    title: "Delivery",
    keywords:
      "delivery deliver shipping ship parcel package arrive lieferung liefern versand paket ankommen envío entrega paquete llegar livraison colis arriver order bestellung pedido commande",
    text: {
      en: "Orders leave our warehouse within one working day and take two to four days to arrive.",
      de: "Bestellungen verlassen unser Lager innerhalb eines Werktags und sind in zwei bis vier Tagen da.",
      es: "Los pedidos salen de nuestro almacén en un día laborable y tardan de dos a cuatro días en llegar.",
      fr: "Les commandes quittent notre entrepôt sous un jour ouvré et arrivent en deux à quatre jours.",
    },
  },
  {
    title: "Returns and refunds",
    keywords:
      "return refund money back exchange broken damaged rückgabe zurückgeben erstattung geld kaputt devolución devolver reembolso dinero roto retour rembourser remboursement cassé",
    text: {
      en: "You can return anything within 30 days; the refund is with you five days after it has reached us.",
      de: "Sie können alles innerhalb von 30 Tagen zurückgeben; das Geld ist fünf Tage nach dem Eintreffen bei Ihnen.",
      es: "Puede devolver cualquier artículo en 30 días; el reembolso le llega cinco días después de recibirlo nosotros.",
      fr: "Vous pouvez tout retourner sous 30 jours ; le remboursement vous parvient cinq jours après réception.",
    },
  },
  {
    title: "Opening hours",
    keywords:
      "open opening hours close closed weekend sunday öffnungszeiten geöffnet offen wochenende sonntag horario abierto abren cerrado domingo horaires ouvert fermé dimanche",
    text: {
      en: "The shop is open Monday to Saturday from 9:00 to 18:00.",
      de: "Der Laden ist montags bis samstags von 9:00 bis 18:00 Uhr geöffnet.",
      es: "La tienda abre de lunes a sábado, de 9:00 a 18:00.",
      fr: "Le magasin est ouvert du lundi au samedi, de 9 h à 18 h.",
    },
  },
  {
    title: "Invoices",
    keywords: "invoice bill receipt vat tax rechnung quittung steuer factura recibo iva facture reçu tva",
    text: {
      en: "Every invoice is in your account under Orders, from where it can be downloaded as a PDF.",
      de: "Jede Rechnung liegt in Ihrem Konto unter Bestellungen und kann dort als PDF geladen werden.",
      es: "Cada factura está en su cuenta, en Pedidos, donde se puede descargar en PDF.",
      fr: "Chaque facture se trouve dans votre compte sous Commandes, à télécharger en PDF.",
    },
  },
  {
    title: "Password",
    keywords:
      "password login log sign account forgot reset passwort anmelden einloggen konto vergessen contraseña entrar cuenta olvidé passe connexion connecter compte oublié",
    text: {
      en: 'A new password can be set from the link "Forgot password" on the sign-in page; the link is good for an hour.',
      de: "Ein neues Passwort lässt sich über „Passwort vergessen“ auf der Anmeldeseite setzen; der Link gilt eine Stunde.",
      es: "Puede fijar una nueva contraseña con el enlace «Olvidé mi contraseña» de la página de acceso; vale una hora.",
      fr: "Un nouveau mot de passe se définit par le lien « Mot de passe oublié » de la page de connexion, valable une heure.",
    },
  },
];
